import { distance } from 'fastest-levenshtein';

/** The candidates that somebody may have meant, the nearest first. */
export function nearest(given: string, candidates: readonly string[], most: number): string[] {
  const wanted = given.slice(0, 64).toLowerCase();
  return candidates
    .map((candidate) => ({ candidate, edits: edits(wanted, candidate.toLowerCase()) }))
    .filter(({ candidate, edits }) => edits <= Math.max(2, candidate.length / 3))
    .sort((a, b) => a.edits - b.edits)
    .slice(0, most)
    .map(({ candidate }) => candidate);
}

/** A prefix too many or too few, as in `db.m7g.large`, is one mistake. */
function edits(given: string, candidate: string): number {
  const isPart = given.length > 2 && (given.endsWith(candidate) || candidate.endsWith(given));
  return isPart && given !== candidate ? 1 : distance(given, candidate);
}
