import { dayText, isoDay } from '../iso-day';
import { Rule } from '../rule';

/** Days before its end from which a runtime is reported. */
const NOTICE_DAYS = 90;

/**
 * "Block function create" (Lambda Developer Guide, "Lambda runtimes", "Deprecated runtimes"): from that day on Lambda refuses new
 * functions with the runtime.
 */
export const LAMBDA_RUNTIME: Rule = {
  name: 'LambdaRuntime',
  summary: `Lambda still creates functions with the Node.js runtime that is named, and will for ${NOTICE_DAYS} days.`,
  types: /^AWS::Lambda::Function$/,
  check({ properties: { Runtime } }, { today }) {
    const version = Number(/^nodejs(\d+)/.exec(Runtime)?.[1]);
    const end = isoDay(ENDS.find(([latest]) => version <= latest)?.[1] ?? NEVER);
    return today.getTime() + NOTICE_DAYS * DAY_MS >= end.getTime()
      ? [`Lambda refuses new functions with ${Runtime} from ${dayText(end)} on. Use a later runtime.`]
      : [];
  },
};

/** Version and day (Lambda Developer Guide, "Building Lambda functions with Node.js"); what is older has ended before. */
const ENDS: [number, string][] = [
  [20, '2026-08-31'],
  [22, '2027-06-01'],
  [24, '2028-06-01'],
];

const NEVER = '9999-12-31';

const DAY_MS = 24 * 60 * 60 * 1000;
