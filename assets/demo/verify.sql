-- Is every foreign key of the starter schema true? For tests: the fill runs with the triggers off that would have refused an orphan.
-- Run as a superuser (row level security would hide the rows from anybody else). Raises and names the first key with orphans.

do $$
declare
    key record;
    orphans bigint;
begin
    for key in
        select c.conname, c.conrelid::regclass as child, c.confrelid::regclass as parent,
            string_agg(format('p.%I = c.%I', b.attname, a.attname), ' and ') as matches, string_agg(format('c.%I is not null', a.attname), ' and ') as named
        from pg_constraint c cross join unnest(c.conkey, c.confkey) as pair (child, parent)
            join pg_attribute a on a.attrelid = c.conrelid and a.attnum = pair.child
            join pg_attribute b on b.attrelid = c.confrelid and b.attnum = pair.parent
        where c.contype = 'f' and c.connamespace = 'app'::regnamespace and c.conparentid = 0
        group by c.oid, c.conname, c.conrelid, c.confrelid
    loop
        execute format('select count(*) from %s c where %s and not exists (select from %s p where %s)', key.child, key.named, key.parent, key.matches) into orphans;
        if orphans > 0 then
            raise exception '% rows of % break %', orphans, key.child, key.conname using errcode = 'foreign_key_violation';
        end if;
    end loop;
end $$;
