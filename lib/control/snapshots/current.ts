import { sql } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { operations } from "../../db/schema/operations";
import { snapshots, vms } from "../../db/schema/vms";

/**
 * The snapshots that the disks of live VMs build on now: by VM, the one that was taken of it or that it was put back to last, else the one that it was made
 * from. Of one that is gone, or that nobody sees, what it came from. A VM that builds on its image has none here.
 *
 * All of it is in the database: a VM's disk moves in no other way, and a host does one thing after the other with it.
 */
export async function currentSnapshots(db: Queryable): Promise<Map<number, number>> {
  const { rows } = await db.execute<{ vm_id: number; id: number }>(sql`
    with recursive
      taken as (
        select distinct on (vm_id) vm_id, id, created_at from ${snapshots}
        where manifest is not null order by vm_id, created_at desc, id desc
      ),
      restored as (
        select distinct on (vm_id) vm_id, (result ->> 'snapshotId')::int as id, finished_at from ${operations}
        where kind = 'snapshot-restore' and status = 'done' order by vm_id, finished_at desc, id desc
      ),
      last as (
        select v.id as vm_id,
          case when restored.finished_at >= taken.created_at then restored.id
            else coalesce(taken.id, v.from_snapshot_id) end as id
        from ${vms} v left join taken on taken.vm_id = v.id left join restored on restored.vm_id = v.id
        where v.deleted_at is null
      ),
      below as (
        select last.vm_id, s.id, s.parent_id, s.deleted_at is null and s.origin <> 'clone' as is_shown
        from last join ${snapshots} s on s.id = last.id
        union all
        select below.vm_id, s.id, s.parent_id, s.deleted_at is null and s.origin <> 'clone'
        from below join ${snapshots} s on s.id = below.parent_id where not below.is_shown
      )
    select vm_id, id from below where is_shown`);
  return new Map(rows.map(({ vm_id, id }) => [vm_id, id]));
}
