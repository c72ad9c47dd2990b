import { createHash } from 'node:crypto';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FleetStack, Template } from './fleet-stacks';

interface AssetManifest {
  readonly files: Record<
    string,
    {
      readonly source: { readonly path?: string };
      readonly destinations: Record<string, { objectKey: string }>;
    }
  >;
}

/**
 * Copies a cloud assembly with the templates that are deployed in place of those that it has, so that a deployment of it goes back.
 * What these templates refer to was uploaded when they were deployed.
 */
export function writeEarlierAssembly(
  assembly: string,
  directory: string,
  earlier: ReadonlyMap<FleetStack, Template>,
): void {
  cpSync(assembly, directory, { recursive: true });
  for (const [{ templateFile }, template] of earlier) {
    const text = JSON.stringify(template, null, 1);
    writeFileSync(join(directory, templateFile), text);
    rename(directory, templateFile, createHash('sha256').update(text).digest('hex'));
  }
}

/** The name of an uploaded template is its hash: under the old one the other template would be found. */
function rename(directory: string, templateFile: string, hash: string): void {
  const assets = join(directory, templateFile.replace('.template.json', '.assets.json'));
  const manifest = JSON.parse(readFileSync(assets, 'utf8')) as AssetManifest;
  const entry = Object.values(manifest.files).find(({ source }) => source.path === templateFile);
  if (!entry) throw new Error(`${assets} does not name ${templateFile}`);
  const [{ objectKey }] = Object.values(entry.destinations);
  const renamed = objectKey.replace(/[^/]+$/, `${hash}.json`);
  for (const destination of Object.values(entry.destinations)) destination.objectKey = renamed;
  writeFileSync(assets, JSON.stringify(manifest, null, 2));
  const file = join(directory, 'manifest.json');
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll(objectKey, renamed));
}
