-- Demo fill, part 7: AI runs. ai_month of them fall into the current calendar month (UTC), because that is what a plan counts.

insert into app.ai_runs (tenant_id, user_id, model, purpose, status, input_tokens, output_tokens, cost_micros, latency_ms, created_at)
select t.id, m.user_id, (array['small-2', 'small-2', 'large-1', 'embed-1'])[draw.h % 4 + 1], (array['summary', 'draft reply', 'search', 'classification', 'translation'])[draw.h % 5 + 1],
    case when draw.h % 43 = 0 then 'error' when draw.h % 97 = 0 then 'refused' else 'ok' end, draw.input, draw.output,
    draw.input * 3 + draw.output * 15, 120 + draw.h % 4000,
    case when a.n < t.ai_runs - t.ai_month then t.created_at + greatest(t.month_at - t.created_at, interval '0') * (a.n::double precision / (t.ai_runs - t.ai_month))
        else t.month_at + (t.now_at - t.month_at) * ((a.n - t.ai_runs + t.ai_month)::double precision / t.ai_month) end
from demo_tenants t
    cross join lateral generate_series(0, t.ai_runs - 1) as a (n)
    cross join lateral (select pg_temp.demo_hash(t.r, a.n, 301), 40 + pg_temp.demo_hash(t.r, a.n, 302) % 3960, pg_temp.demo_hash(t.r, a.n, 303) % 1200) as draw (h, input, output)
    join demo_members m on m.r = t.r and m.n = draw.h % t.active
order by 10, t.r, a.n;
