import { at } from '../environment/at';
import { InstanceSharing } from '../tenant/tenant-instance';
import { Path, Problem, pathText } from '../validation/problem';
import { InstancePlace } from './instance-placement';

type Show = (path: Path, value: unknown) => string;

/** What a key of a place holds. */
interface Rule {
  readonly allowed: string;
  readonly optional?: boolean;
  readonly holds: (value: unknown) => boolean;
}

const SHARINGS: unknown[] = Object.values(InstanceSharing);

/** Elastic Load Balancing API Reference, "CreateRule": a priority is 1 to 50,000. */
const HIGHEST_PRIORITY = 50_000;

const RULES: Record<keyof InstancePlace, Rule> = {
  region: {
    allowed: 'the name of a region, for instance eu-central-1',
    holds: (value) => typeof value === 'string' && /^[a-z]{2}(-[a-z]+)+-[0-9]$/.test(value),
  },
  network: { allowed: SHARINGS.join(', '), optional: true, holds: (value) => SHARINGS.includes(value) },
  database: { allowed: SHARINGS.join(', '), optional: true, holds: (value) => SHARINGS.includes(value) },
  cell: { allowed: 'a whole number from 1', optional: true, holds: (value) => isWhole(value, Number.MAX_SAFE_INTEGER) },
  priority: {
    allowed: `a whole number from 1 to ${HIGHEST_PRIORITY}`,
    optional: true,
    holds: (value) => isWhole(value, HIGHEST_PRIORITY),
  },
};

/**
 * What is wrong with the content of a file of places, which may be of any shape.
 *
 * @param show how a message shows the value at a path.
 */
export function placesProblems(content: unknown, show: Show): Problem[] {
  if (!isMapping(content)) return [];
  const places = content.places;
  return [
    ...unknownKeys(content, [], ['about', 'places']),
    ...(isMapping(places)
      ? [...Object.entries(places).flatMap(([id, place]) => placeProblems(id, place, show)), ...samePriorities(places)]
      : [wrong(['places'], places, 'a mapping with the place of each tenant', show)]),
  ];
}

function placeProblems(id: string, place: unknown, show: Show): Problem[] {
  const path = ['places', id];
  if (!/^[a-z][a-z0-9_]{2,30}$/.test(id)) {
    const allowed = '3 to 31 characters: a to z, 0 to 9 and _, starting with a letter';
    return [{ path, code: 'TENANT_ID_INVALID', fault: 'is not the id of a tenant', allowed, atKey: true }];
  }
  if (!isMapping(place)) return [wrong(path, place, `a mapping with ${Object.keys(RULES).join(', ')}`, show)];
  const [cell, priority] = [place.cell, place.priority];
  const other = cell === undefined ? 'cell' : 'priority';
  return [
    ...unknownKeys(place, path, Object.keys(RULES)),
    ...Object.entries(RULES).flatMap(([key, { allowed, optional, holds }]) => {
      const value = place[key];
      if (holds(value) || (optional && value === undefined)) return [];
      return [wrong([...path, key], value, allowed, show)];
    }),
    ...((cell === undefined) === (priority === undefined)
      ? []
      : [wrong([...path, other], undefined, RULES[other].allowed, show)]),
  ];
}

/** As when two branches that each add a tenant are merged. */
function samePriorities(places: Record<string, unknown>): Problem[] {
  const first = new Map<string, string>();
  return Object.keys(places).flatMap((id): Problem[] => {
    const [region, cell, priority] = ['region', 'cell', 'priority'].map((key) => at(places[id], [key]));
    if (typeof cell !== 'number' || typeof priority !== 'number') return [];
    const rule = `${String(region)} ${cell} ${priority}`;
    const before = first.get(rule);
    if (before === undefined) {
      first.set(rule, id);
      return [];
    }
    return [
      {
        path: ['places', id, 'priority'],
        code: 'PRIORITY_DUPLICATE',
        fault: `is ${priority} in cell ${cell} of ${String(region)}, as ${pathText(['places', before, 'priority'])} is, and a load balancer has one rule of each`,
        remedy: `delete the entry of the one that is not deployed yet, ${before} or ${id}: the next synthesis gives it another priority`,
      },
    ];
  });
}

function unknownKeys(mapping: Record<string, unknown>, path: Path, known: string[]): Problem[] {
  return Object.keys(mapping)
    .filter((key) => !known.includes(key))
    .map((key) => ({
      path: [...path, key],
      code: 'KEY_UNKNOWN',
      fault: 'is not a known key',
      allowed: known.join(', '),
      remedy: 'take it out',
      atKey: true,
    }));
}

function wrong(path: Path, value: unknown, allowed: string, show: Show): Problem {
  return value === undefined
    ? { path, code: 'KEY_MISSING', fault: 'is missing', allowed }
    : { path, code: 'VALUE_INVALID', fault: `is ${show(path, value)}`, allowed };
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isWhole(value: unknown, most: number): boolean {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= most;
}
