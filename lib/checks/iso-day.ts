/** The start of a day in UTC. Throws if it is none. */
export function isoDay(day: string): Date {
  const date = new Date(`${day}T00:00:00Z`);
  if (Number.isNaN(date.getTime()) || dayText(date) !== day) {
    throw new Error(`today is '${day}'; it must be a day as YYYY-MM-DD, for instance 2026-11-30.`);
  }
  return date;
}

/** The day of a date, as `YYYY-MM-DD`. */
export function dayText(date: Date): string {
  return date.toISOString().slice(0, 10);
}
