import { BUNDLED_SUPERSET_VERSION } from '../defaults';
import { Path, Problem, valueText } from '../validation/problem';
import { at, text } from './at';

/** Versions of Superset that are not those of the image, which alone decides what runs. Whatever is not of its type is passed over. */
export function versionProblems(environment: unknown): Problem[] {
  const tenants = at(environment, ['tenants']);
  return [
    ...versionWithoutImage(environment),
    ...versionOfOtherTag(environment, ['superset', 'version'], ['superset', 'image']),
    ...(Array.isArray(tenants) ? tenants : []).flatMap((_, index) =>
      instanceProblems(environment, ['tenants', index, 'instance']),
    ),
  ];
}

function versionWithoutImage(environment: unknown): Problem[] {
  const path = ['superset', 'version'];
  const version = text(environment, path);
  if (!isRelease(version) || version === BUNDLED_SUPERSET_VERSION) return [];
  if (at(environment, ['superset', 'image']) !== undefined) return [];
  return [
    {
      path,
      code: 'VERSION_WITHOUT_IMAGE',
      fault: `is ${valueText(version)}, but the image that is built from superset/ is of ${BUNDLED_SUPERSET_VERSION}`,
      allowed: BUNDLED_SUPERSET_VERSION,
      remedy: `write ${BUNDLED_SUPERSET_VERSION}, or add image, of ${version}, beside it`,
    },
  ];
}

function instanceProblems(environment: unknown, path: Path): Problem[] {
  const own = [...path, 'supersetVersion'];
  const version = text(environment, own);
  const fleet = text(environment, ['superset', 'version']);
  if (at(environment, [...path, 'image']) !== undefined) {
    return versionOfOtherTag(environment, version === undefined ? ['superset', 'version'] : own, [...path, 'image']);
  }
  if (version === undefined || version === fleet) return [];
  return [
    {
      path: own,
      code: 'VERSION_WITHOUT_IMAGE',
      fault: `is ${valueText(version)}, but the image is that of ${fleet}`,
      remedy: 'add image, of that version, beside it',
    },
  ];
}

/** An image whose tag names another release. A tag that names none, and a digest, may be of any. */
function versionOfOtherTag(environment: unknown, versionPath: Path, imagePath: Path): Problem[] {
  const version = text(environment, versionPath);
  const [, tag] = /:v?(6\.\d+\.\d+)(?:[-_.+][\w.+-]*)?(?:@[\w:]+)?$/.exec(text(environment, imagePath) ?? '') ?? [];
  if (!isRelease(version) || tag === undefined || tag === version) return [];
  return [
    {
      path: imagePath,
      code: 'VERSION_CONTRADICTED',
      fault: `has a tag of Superset ${tag}, but the version is ${version}`,
      remedy: `set the version to ${tag}, or name an image of ${version}`,
    },
  ];
}

function isRelease(version: string | undefined): version is string {
  return version !== undefined && /^6\.\d+\.\d+$/.test(version);
}
