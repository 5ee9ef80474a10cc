import type pg from "pg";

/** Namespace of our advisory locks on VMs, so that they don't meet other users of the database. */
const lockClass = 0x43_55_4d;

/**
 * Runs while no other console converges the same VM. The lock is the database's and of one connection: it is free the moment that its holder dies,
 * whichever way.
 */
export async function withVmLock<T>(pool: pg.Pool, vmId: number, run: () => Promise<T>): Promise<T> {
  const connection = await pool.connect();
  let isFree = false;
  try {
    await connection.query("select pg_advisory_lock($1::int, $2::int)", [lockClass, vmId]);
    const result = await run();
    await connection.query("select pg_advisory_unlock($1::int, $2::int)", [lockClass, vmId]);
    isFree = true;
    return result;
  } finally {
    connection.release(!isFree);
  }
}
