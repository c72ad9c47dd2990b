import { PlacedProblem } from './yaml-reader';

/** The text of a file without its byte order mark, which editors of Windows write. */
export function textOf(bytes: Buffer): string {
  return bytes.toString('utf8').replace(/^\ufeff/, '');
}

/** Whether a file begins with the byte order mark of UTF-16. */
export function isUtf16(bytes: Buffer): boolean {
  return ['fffe', 'feff'].includes(bytes.toString('hex', 0, 2));
}

/** What of a text is not UTF-8, and which of its characters nobody sees. */
export function textProblems(bytes: Buffer): PlacedProblem[] {
  const invisible = textOf(bytes).matchAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufeff]/g);
  return [
    ...notUtf8(bytes),
    ...[...invisible].map(({ 0: character, index }) => ({
      path: [],
      code: 'YAML_CHARACTER',
      fault: `holds the invisible character U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`,
      remedy: 'delete it',
      offset: index,
    })),
  ];
}

function notUtf8(bytes: Buffer): PlacedProblem[] {
  const encodedAgain = Buffer.from(bytes.toString('utf8'));
  const wrong = bytes.findIndex((byte, index) => byte !== encodedAgain[index]);
  if (wrong < 0) return [];
  const before = textOf(bytes.subarray(0, wrong)).replace(/\ufffd$/, '');
  return [
    { path: [], code: 'YAML_ENCODING', fault: 'is not UTF-8', remedy: 'save it as UTF-8', offset: before.length },
  ];
}
