import { Token } from 'aws-cdk-lib';
import { Path, Problem, valueText } from '../validation/problem';

const EMAIL = /^[^@\s]{1,64}@([^@\s.]+\.)+[^@\s.]+$/;

/** What is wrong with the e-mail addresses that alarms are sent to. */
export function emailProblems(given: unknown, list: Path): Problem[] {
  const emails: unknown[] = Array.isArray(given) ? given : [];
  return emails.flatMap((email, index): Problem[] => {
    const path = [...list, index];
    if (typeof email !== 'string' || Token.isUnresolved(email)) return [];
    if (!EMAIL.test(email)) {
      return [{ path, code: 'EMAIL_INVALID', fault: `is ${valueText(email)}`, allowed: 'an e-mail address' }];
    }
    if (emails.indexOf(email) === index) return [];
    return [{ path, code: 'EMAIL_DUPLICATE', fault: `is ${valueText(email)} again`, remedy: 'take it out' }];
  });
}
