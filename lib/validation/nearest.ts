import { distance } from 'fastest-levenshtein';

/** The candidates that somebody may have meant, the nearest first. */
export function nearest(given: string, candidates: readonly string[], most: number): string[] {
  const wanted = given.slice(0, 64).toLowerCase();
  return candidates
    .map((candidate) => ({ candidate, edits: distance(wanted, candidate.toLowerCase()) }))
    .filter(({ candidate, edits }) => edits <= Math.max(2, candidate.length / 3))
    .sort((a, b) => a.edits - b.edits)
    .slice(0, most)
    .map(({ candidate }) => candidate);
}
