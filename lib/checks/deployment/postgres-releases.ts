import { isoDay } from '../iso-day';

/**
 * Releases of PostgreSQL (postgresql.org, "News"): all majors get a minor on the same day. The numbers are those of PostgreSQL 17; 16
 * is 4 ahead, 15 is 8, 14 is 13, and 18 is 6 behind.
 */
const RELEASED: ReadonlyMap<number, string> = new Map([
  [5, '2025-05-08'],
  [6, '2025-08-14'],
  [7, '2025-11-13'],
  [8, '2026-02-12'],
  [9, '2026-02-26'],
  [10, '2026-05-14'],
]);

const AHEAD_OF_17: ReadonlyMap<number, number> = new Map([
  [14, 13],
  [15, 8],
  [16, 4],
  [17, 0],
  [18, -6],
]);

/** Announced by RDS for 14.14 to 14.17, 15.9 to 15.12, 16.5 to 16.8 and 17.1 to 17.4; what is older has ended before. */
const ANNOUNCED_END = '2026-05-01';

/** Majors that RDS creates no servers with under standard support. */
const LEAST_MAJOR = Math.min(...AHEAD_OF_17.keys());

/** Latest minors that are known here, for messages. */
export const PINNED_MINORS = [...AHEAD_OF_17]
  .map(([major, ahead]) => `${major}.${Math.max(...RELEASED.keys()) + ahead}`)
  .join(', ');

/** Day from which RDS may refuse to create a server with a minor version; undefined if it is newer than those known here. */
export function endOfCreation(version: string): Date | undefined {
  const [major, minor] = version.split('.').map(Number);
  const ahead = AHEAD_OF_17.get(major);
  if (ahead === undefined) return major < LEAST_MAJOR ? isoDay(ANNOUNCED_END) : undefined;
  const asOf17 = minor - ahead;
  if (asOf17 < Math.min(...RELEASED.keys())) return isoDay(ANNOUNCED_END);
  const released = RELEASED.get(asOf17);
  if (!released) return undefined;
  const end = isoDay(released);
  end.setUTCFullYear(end.getUTCFullYear() + 1);
  return end;
}
