//! The runner that the loop has: it knows at which database the console is, lists the others, and
//! goes there. The old one is left only when the new one has answered.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrecy::SecretString;
use tokio::task::JoinHandle;

use super::{PATIENCE, Site};
use crate::config::{EMBEDDED, Paths, Settings};
use crate::failure::{Failure, Kind};
use crate::impersonation::StartImpersonation;
use crate::profile::{self, Destination, Stores};
use crate::text::Untrusted;
use crate::tui::effect::{Answer, Effect, Effects, Request, RequestNo, Tell};
use crate::tui::facts::{PlaceFacts, ProfileFacts, SessionFacts, SwitchAsk};

/// How long what still runs at a database that was left may take, while the console goes on.
const LEAVING: Duration = Duration::from_secs(60);

/// The runner. Clones share everything.
#[derive(Debug, Clone)]
pub struct Runner(Arc<House>);

/// What clones share.
#[derive(Debug)]
struct House {
    paths: Paths,
    /// Where the console is; nowhere once it is over.
    current: Mutex<Option<Site>>,
    /// The ends of what was left.
    leaving: Mutex<Vec<JoinHandle<()>>>,
}

impl Runner {
    /// A runner for a database; nothing is connected yet.
    #[must_use]
    pub fn new(paths: Paths, destination: Destination) -> Self {
        let current = Mutex::new(Some(Site::new(paths.clone(), destination)));
        Self(Arc::new(House { paths, current, leaving: Mutex::default() }))
    }

    /// Starts an impersonation as the command line asks for it.
    pub(in crate::tui) async fn start(
        &self,
        request: StartImpersonation,
    ) -> Result<SessionFacts, Failure> {
        self.0.site()?.start(request).await
    }

    /// Ends the sessions from beside the loop, for the moment when the loop cannot: the database
    /// would end them a minute later at the earliest.
    pub(in crate::tui) fn left_behind(&self) -> impl Future<Output = ()> + Send + use<> {
        let house = Arc::downgrade(&self.0);
        async move {
            let site = house.upgrade().and_then(|house| house.site().ok());
            if let Some(site) = site {
                site.end_all().await;
            }
        }
    }

    /// Ends what is open and the use of the embedded server.
    ///
    /// # Errors
    /// Where the server does not stop in time.
    pub async fn finish(self) -> Result<(), Failure> {
        let site = self.0.take(None);
        let leaving = std::mem::take(&mut *locked(&self.0.leaving));
        drop(self);
        let finished = match site {
            Some(site) => site.finish(PATIENCE).await,
            None => Ok(()),
        };
        for left in leaving {
            // What it could not do in time is in the log; the process ends it.
            let _in_time = tokio::time::timeout(PATIENCE, left).await;
        }
        finished
    }

    /// The databases one can go to, the embedded server first.
    fn profiles(&self) -> Result<Vec<ProfileFacts>, Failure> {
        let paths = &self.0.paths;
        let settings = Settings::load(&paths.config_file)?;
        let stores = Stores::of(paths);
        let embedded = ProfileFacts {
            name: EMBEDDED.to_owned(),
            address: Untrusted::from(paths.socket_dir.to_string_lossy().as_ref()),
            password_from: "none".to_owned(),
            theme: None,
            asks: None,
            default: settings.default_profile.is_none(),
        };
        let facts = |one: &crate::config::Profile| ProfileFacts {
            name: one.name.to_string(),
            address: Untrusted::from(one.url.as_str()),
            password_from: one.password.to_string(),
            theme: one.theme,
            asks: profile::asks(one, &stores).map(|wanted| wanted.to_string()),
            default: settings.default_profile.as_ref() == Some(&one.name),
        };
        Ok(std::iter::once(embedded).chain(settings.profiles.iter().map(facts)).collect())
    }

    /// Connects to another database, and leaves the old one once that is done.
    async fn switch(
        &self,
        no: RequestNo,
        ask: SwitchAsk,
        tell: &Tell,
    ) -> Result<PlaceFacts, Failure> {
        let old = self.0.site()?;
        let paths = self.0.paths.clone();
        let site = old.long(no, tell, async |progress| {
            progress.enter("looking for its password");
            let looked = tokio::task::spawn_blocking({
                let paths = paths.clone();
                move || destination(&paths, ask)
            });
            let looked = async { looked.await.unwrap_or_else(|_| Err(broken())) };
            let destination = progress.unless_cancelled(looked).await?;
            progress.enter("connecting");
            let site = Site::new(paths, destination);
            let connected = async { site.connected().await.map(drop) };
            match Box::pin(progress.unless_cancelled(connected)).await {
                Ok(()) => Ok(site),
                Err(failure) => {
                    // A server that was started for this must not stay.
                    self.0.leave(site);
                    Err(failure)
                }
            }
        });
        let site = Box::pin(site).await?;
        let place = PlaceFacts::of(&site.shared.destination);
        drop(old);
        match self.0.move_to(site) {
            Ok(()) => Ok(place),
            // The console is over: nobody wants it.
            Err(site) => {
                self.0.leave(site);
                Err(broken())
            }
        }
    }
}

/// What a profile means, with what was typed for it. Blocks: keyrings ask, scrypt takes its time.
fn destination(paths: &Paths, ask: SwitchAsk) -> Result<Destination, Failure> {
    if ask.name == EMBEDDED {
        return Ok(Destination::embedded());
    }
    let found = profile::find(paths, &ask.name)?;
    let mut typed: Option<SecretString> = ask.typed.map(crate::tui::facts::Typed::into_secret);
    Destination::of_profile(&found, paths, &mut |wanted| {
        typed.take().ok_or_else(|| Failure::refused(format!("{wanted} was not typed")))
    })
}

fn broken() -> Failure {
    Failure::new(Kind::Internal, "the way to the other database was broken off")
}

/// What is held under it is whole between two statements, so a panic elsewhere spoils nothing.
fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl House {
    /// Where the console is.
    fn site(&self) -> Result<Site, Failure> {
        locked(&self.current).clone().ok_or_else(broken)
    }

    fn take(&self, next: Option<Site>) -> Option<Site> {
        std::mem::replace(&mut *locked(&self.current), next)
    }

    /// From now on the console is there; what it left ends by itself. Not after its end.
    fn move_to(&self, site: Site) -> Result<(), Site> {
        let old = {
            let mut current = locked(&self.current);
            if current.is_none() {
                return Err(site);
            }
            current.replace(site)
        };
        if let Some(old) = old {
            self.leave(old);
        }
        Ok(())
    }

    /// Ends what is open at a site, while the console goes on.
    fn leave(&self, site: Site) {
        let left = tokio::spawn(async move {
            if let Err(failure) = site.finish(LEAVING).await {
                tracing::warn!("a database was not left in time: {}", failure.logged());
            }
        });
        locked(&self.leaving).push(left);
    }
}

impl Effects for Runner {
    async fn run(&self, request: Request, tell: Tell) -> Result<Answer, Failure> {
        let logged = |failure: &Failure| {
            tracing::warn!(kind = failure.kind.as_str(), "{}", failure.logged());
        };
        match request.effect {
            Effect::ListProfiles => self.profiles().map(Answer::Profiles).inspect_err(logged),
            Effect::Switch(ask) => {
                let switch = Box::pin(self.switch(request.no, ask, &tell));
                switch.await.map(Answer::Switched).inspect_err(logged)
            }
            _ => self.0.site()?.run(request, tell).await,
        }
    }
}
