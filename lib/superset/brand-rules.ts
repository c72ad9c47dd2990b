import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { Token } from 'aws-cdk-lib';
import { Path, Problem, valueText } from '../validation/problem';
import { svgFault } from './svg';

/** What an image may be. */
interface ImageBounds {
  readonly kibibytes: number;
  readonly width: number;
  readonly height: number;
}

/** Both are in the definition of each task as text, of which ECS takes 64 KiB (Amazon ECS Developer Guide, "Service quotas"). */
const BOUNDS: Record<'logo' | 'favicon', ImageBounds> = {
  logo: { kibibytes: 20, width: 2048, height: 512 },
  favicon: { kibibytes: 10, width: 512, height: 512 },
};

/** What the schema does not see of a brand, which may be of any shape. Paths in it begin at the directory. */
export function brandRuleProblems(brand: unknown, directory: string): Problem[] {
  return [
    ...(['logo', 'favicon'] as const).flatMap((key) => imageProblems(text(brand, key), [key], BOUNDS[key], directory)),
    ...illegible(text(brand, 'primaryColor')),
  ];
}

/** An image as a `data:` URI, which is what pages may load beside their own files. */
export function imageUri(path: string): string {
  const bytes = readFileSync(path);
  return `data:${isPng(bytes) ? 'image/png' : 'image/svg+xml'};base64,${bytes.toString('base64')}`;
}

function imageProblems(
  file: string | undefined,
  path: Path,
  { kibibytes, width, height }: ImageBounds,
  directory: string,
): Problem[] {
  if (file === undefined || !/^[^\p{Cc}]{1,1024}$/u.test(file)) return [];
  const problem = (fault: string, allowed?: string, remedy?: string): Problem[] => [
    { path, code: 'BRAND_IMAGE', fault: `is ${valueText(file)}, ${fault}`, allowed, remedy },
  ];
  const absolute = resolve(directory, file);
  if (!statSync(absolute, { throwIfNoEntry: false })?.isFile()) {
    return problem('which is not there', undefined, 'write its path, from where this file is');
  }
  const bytes = readFileSync(absolute);
  if (bytes.length > kibibytes * 1024) {
    return problem(`which has ${Math.ceil(bytes.length / 1024)} KiB`, `at most ${kibibytes} KiB`, 'make it smaller');
  }
  if (isPng(bytes)) {
    const [own, high] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
    const fits = own > 0 && high > 0 && own <= width && high <= height;
    return fits ? [] : problem(`which is ${own} by ${high} pixels`, `at most ${width} by ${height} pixels`);
  }
  const fault = svgFault(bytes.toString('utf8'));
  return fault
    ? problem(
        fault,
        'PNG; or SVG of shapes and texts, without scripts, and without links to elsewhere',
        'save it as a plain SVG image, or as PNG',
      )
    : [];
}

/** A signature, and the header that comes first (Portable Network Graphics, "Chunk specifications"). */
function isPng(bytes: Buffer): boolean {
  return bytes.length > 32 && bytes.subarray(0, 16).equals(Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'latin1'));
}

/** WCAG 2.2, success criterion 1.4.3, "Contrast (Minimum)". */
const LEAST_CONTRAST = 4.5;

function illegible(color: string | undefined): Problem[] {
  if (color === undefined || !/^#[0-9a-f]{6}$/i.test(color) || contrastWithWhite(color) >= LEAST_CONTRAST) return [];
  return [
    {
      path: ['primaryColor'],
      code: 'BRAND_CONTRAST',
      fault: `is ${valueText(color)}, on which white text has a contrast of ${contrastWithWhite(color).toFixed(1)} to 1`,
      allowed: `${LEAST_CONTRAST} to 1 or more (WCAG 2.2, success criterion 1.4.3)`,
      remedy: `write '${darkened(color)}'`,
    },
  ];
}

/** WCAG 2.2, "relative luminance" and "contrast ratio". */
function contrastWithWhite(color: string): number {
  const [red, green, blue] = channels(color).map((channel) => {
    const share = channel / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05);
}

/** The lightest shade of a colour that is dark enough. */
function darkened(color: string): string {
  for (let percent = 99; ; percent--) {
    const shade = channels(color).map((channel) => Math.floor((channel * percent) / 100));
    const hex = `#${shade.map((channel) => channel.toString(16).padStart(2, '0')).join('')}`;
    if (contrastWithWhite(hex) >= LEAST_CONTRAST) return hex;
  }
}

function channels(color: string): number[] {
  return [1, 3, 5].map((start) => Number.parseInt(color.slice(start, start + 2), 16));
}

function text(brand: unknown, key: string): string | undefined {
  const value = typeof brand === 'object' && brand !== null ? (brand as Record<string, unknown>)[key] : undefined;
  return typeof value === 'string' && !Token.isUnresolved(value) ? value : undefined;
}
