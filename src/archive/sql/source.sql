-- Where an archive comes from, and the settings that fix the text form of its values.
select pg_catalog.current_setting('server_version') as server_version,
  pg_catalog.current_setting('server_version_num')::integer as server_version_num,
  (select system_identifier::text from pg_catalog.pg_control_system()) as system_identifier,
  pg_catalog.current_database()::text as database,
  pg_catalog.pg_current_snapshot()::text as snapshot,
  pg_catalog.transaction_timestamp() as taken_at,
  (select pg_catalog.jsonb_object_agg(s.name, pg_catalog.current_setting(s.name)) from pg_catalog.unnest(array[
    'DateStyle', 'IntervalStyle', 'TimeZone', 'extra_float_digits', 'bytea_output', 'lc_monetary', 'client_encoding', 'search_path']) s (name)) as settings
