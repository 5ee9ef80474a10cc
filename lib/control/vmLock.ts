import type postgres from "postgres";

/** Namespace of our advisory locks on VMs, so that they don't meet other users of the database. */
const lockClass = 0x43_55_4d;

/**
 * Runs while no other console converges the same VM. The lock is the database's and of one connection: it is free the moment that its holder dies,
 * whichever way.
 */
export async function withVmLock<T>(sql: postgres.Sql, vmId: number, run: () => Promise<T>): Promise<T> {
  const connection = await sql.reserve();
  try {
    await connection`select pg_advisory_lock(${lockClass}::int, ${vmId}::int)`;
    try {
      return await run();
    } finally {
      await connection`select pg_advisory_unlock(${lockClass}::int, ${vmId}::int)`;
    }
  } finally {
    connection.release();
  }
}
