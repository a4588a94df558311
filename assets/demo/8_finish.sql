-- Demo fill, part 8: statistics, so that the first screen already shows true estimates.

analyze app.tenants, app.app_users, app.tenant_memberships, app.tenant_settings, app.api_keys, app.workspaces, app.projects, app.tasks, app.comments,
    app.accounts, app.contacts, app.deals, app.notes, app.activities, app.documents, app.invoices, app.files, app.ai_runs, app.countries;
