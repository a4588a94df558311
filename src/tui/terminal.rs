//! The terminal as we found it: one way in, and one way out for every way of leaving.
//!
//! [`restore`] is called by the guard's drop, by the panic hook, before suspending and, through
//! the end of the loop, for every signal. It does its work once; calling it again does nothing.

use std::io::{self, Stdout, Write as _};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::cursor::Show;
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::style::{Attribute, ResetColor, SetAttribute};
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{execute, queue};
use ratatui::Terminal;
use ratatui::backend::{Backend as _, ClearType, CrosstermBackend};
use ratatui::layout::Rect;

/// Whether the terminal is in our hands.
static OURS: AtomicBool = AtomicBool::new(false);
static HOOK: Once = Once::new();

/// Gives the terminal back when it is dropped.
#[derive(Debug)]
pub(super) struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        restore();
    }
}

/// Takes the terminal, and makes sure that a panic gives it back before it prints.
pub(super) fn take() -> io::Result<Guard> {
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            restore();
            before(panic);
        }));
    });
    let guard = Guard;
    enter()?;
    Ok(guard)
}

/// Raw mode and the other screen.
fn enter() -> io::Result<()> {
    enable_raw_mode()?;
    OURS.store(true, Ordering::SeqCst);
    execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste)
}

/// The terminal as it was.
pub(super) fn restore() {
    if !OURS.swap(false, Ordering::SeqCst) {
        return;
    }
    // Nothing can be done about a terminal that is gone.
    let _gone = queue!(
        io::stdout(),
        DisableBracketedPaste,
        ResetColor,
        SetAttribute(Attribute::Reset),
        LeaveAlternateScreen,
        Show
    );
    let _gone = io::stdout().flush();
    let _gone = disable_raw_mode();
}

/// A panic somewhere gave the terminal back: the loop must end.
pub(super) fn is_ours() -> bool {
    OURS.load(Ordering::SeqCst)
}

/// Back to the shell. `false` where no shell could continue the job.
///
/// The stop may come a moment after the call, when another thread takes the signal: the terminal
/// may be taken again only after SIGCONT.
pub(super) fn suspend() -> io::Result<bool> {
    use rustix::process::{Signal, getpid, getppid, getsid, kill_process};
    let alone = getsid(None).is_ok_and(|leader| leader == getpid());
    if alone || getppid().is_none_or(rustix::process::Pid::is_init) {
        return Ok(false);
    }
    restore();
    kill_process(getpid(), Signal::STOP)?;
    Ok(true)
}

/// The job was continued: the terminal is taken again and drawn anew.
pub(super) fn resume(terminal: &mut Terminal<CrosstermBackend<Stdout>>) -> io::Result<()> {
    enter()?;
    redraw(terminal)
}

/// Everything is painted anew at the next frame, at the size known. Inside a synchronized update
/// nobody sees the empty screen in between.
pub(super) fn repaint(terminal: &mut Terminal<CrosstermBackend<Stdout>>) -> io::Result<()> {
    terminal.backend_mut().clear_region(ClearType::All)?;
    terminal.swap_buffers();
    Ok(())
}

/// Everything is drawn anew at the next frame. `Terminal::clear` would ask the terminal for its
/// cursor and race the stream of events; setting the size does not.
pub(super) fn redraw(terminal: &mut Terminal<CrosstermBackend<Stdout>>) -> io::Result<()> {
    let (width, height) = crossterm::terminal::size()?;
    terminal.resize(Rect { x: 0, y: 0, width, height })
}
