-- Empties every table of the starter schema but the countries: ALL tenants, not only those of the demo. Run as the owner of the tables or a superuser.
-- The control schema and its ledger stay.

truncate app.tenants, app.app_users, app.tenant_memberships, app.tenant_settings, app.api_keys, app.workspaces, app.projects, app.tasks, app.comments,
    app.accounts, app.contacts, app.deals, app.notes, app.activities, app.documents, app.invoices, app.files, app.ai_runs restart identity;
