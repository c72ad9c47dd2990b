import {
  Alias,
  Document,
  LineCounter,
  Node,
  Pair,
  Scalar,
  YAMLMap,
  YAMLSeq,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  parseAllDocuments,
} from 'yaml';
import { Path, Problem, pathText, valueText } from '../validation/problem';
import { otherReading } from './yaml-readings';

/** A problem and where in the file it is; lines and columns count from 1. */
export interface LocatedProblem extends Problem {
  readonly line: number;
  readonly column: number;
}

/** Values that aliases may repeat in one file; some ten characters can otherwise stand for billions of values. */
const MOST_ALIASED_VALUES = 20_000;

const DEEPEST = 32;

/** What a YAML text says, with the position of every value, and what is wrong with the YAML itself. */
export class YamlSource {
  public readonly value: unknown;

  private readonly lineCounter = new LineCounter();
  private readonly found: LocatedProblem[] = [];
  private readonly readings: LocatedProblem[] = [];
  private readonly syntaxLines = new Set<number>();
  private readonly keys = new Map<string, number>();
  private readonly nodes = new Map<string, Node>();
  private readonly anchors = new Map<string, Node>();
  private readonly open = new Set<Node>();
  private readonly unreadable: Path[] = [];
  private aliasedValues = 0;
  private outermostAlias?: { readonly path: Path; readonly node: Alias };

  constructor(bytes: Buffer) {
    const text = bytes.toString('utf8').replace(/^\ufeff/, '');
    const [document, second] = this.documents(text);
    this.value = this.root(document);
    if (second) {
      const offset = second.contents?.range?.[0] ?? second.range[0];
      this.report(offset, [], 'YAML_DOCUMENTS', 'begins a second document; a file holds one environment', {
        remedy: 'put it into a file of its own',
      });
    }
    this.characters(text);
    this.encoding(bytes);
  }

  /** All problems in the order of the file: those of the YAML, and the given ones of its values. */
  public problems(ofValues: Problem[]): LocatedProblem[] {
    const located = ofValues
      .filter(({ path, code }) => !this.isUnreadable(path) && !(code === 'KEY_MISSING' && this.syntaxLines.size > 0))
      .map((problem) => ({ ...problem, ...this.position(this.offset(problem)) }))
      .filter(({ line }) => !this.syntaxLines.has(line));
    const judged = new Set([...this.found, ...located].map(({ path }) => pathText(path)));
    const readings = this.readings.filter(({ path }) => !judged.has(pathText(path)));
    return [...this.found, ...located, ...readings].sort((a, b) => a.line - b.line || a.column - b.column);
  }

  /** A value as it is written in the file. */
  public show(path: Path, value: unknown): string {
    const node = this.nodes.get(JSON.stringify(path));
    if (typeof value === 'string' || !isScalar(node) || !node.source) return valueText(value);
    return String(value) === node.source ? node.source : `${node.source}, which reads as ${String(value)}`;
  }

  private documents(text: string): Document.Parsed[] {
    const documents = parseAllDocuments(text, {
      version: '1.2',
      schema: 'core',
      merge: false,
      resolveKnownTags: false,
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: 'silent',
      lineCounter: this.lineCounter,
    });
    const list = Array.isArray(documents) ? documents : [];
    for (const { code, message, pos } of list.flatMap(({ errors }) => errors)) {
      const { line } = this.position(pos[0]);
      if (code === 'MULTIPLE_DOCS' || this.syntaxLines.has(line)) continue;
      this.syntaxLines.add(line);
      const remedy = code === 'TAB_AS_INDENT' ? 'indent with spaces' : undefined;
      this.report(pos[0], [], 'YAML_SYNTAX', `is not YAML: ${message}`, { remedy });
    }
    return list;
  }

  private root(document?: Document.Parsed): unknown {
    const contents = document?.contents;
    const isEmpty = !contents || (isScalar(contents) && contents.value === null);
    if (!isEmpty && isMap(contents)) return this.read(contents, []);
    this.unreadable.push([]);
    if (this.syntaxLines.size === 0) {
      this.report(
        isEmpty ? 0 : contents.range[0],
        [],
        'YAML_NO_MAPPING',
        isEmpty ? 'is empty' : `is ${isSeq(contents) ? 'a list' : 'a single value'} at its top level`,
        { allowed: 'a mapping, whose first line may be account: …' },
      );
    }
    return undefined;
  }

  private read(node: Node | null | undefined, path: Path): unknown {
    if (!node) return null;
    if (this.aliasedValues > MOST_ALIASED_VALUES) return undefined;
    if (this.outermostAlias) this.countAliased();
    if (isAlias(node)) return this.readAlias(node, path);
    this.nodes.set(JSON.stringify(path), node);
    if (node.anchor) this.anchors.set(node.anchor, node);
    if (node.tag) {
      this.reportAt(node, path, 'YAML_TAG', `has the tag ${node.tag}`, { remedy: 'take the tag out' });
    }
    if (path.length > DEEPEST) {
      this.unreadable.push(path);
      this.reportAt(node, path, 'YAML_DEEP', `lies more than ${DEEPEST} levels deep`);
      return undefined;
    }
    if (isScalar(node)) return this.readScalar(node, path);
    this.open.add(node);
    const value = isMap(node) ? this.readMap(node, path) : this.readSequence(node as YAMLSeq, path);
    this.open.delete(node);
    return value;
  }

  private readScalar(node: Scalar, path: Path): unknown {
    const other = node.type === Scalar.PLAIN ? otherReading(node) : undefined;
    if (other) {
      this.readings.push({
        path,
        code: 'YAML_AMBIGUOUS',
        fault: `is ${node.source}, which other YAML readers take for ${other}`,
        remedy: typeof node.value === 'string' ? `put it in quotes: '${node.source}'` : 'write it in plain digits',
        ...this.position(node.range?.[0] ?? 0),
      });
    }
    return node.value;
  }

  private readSequence(node: YAMLSeq, path: Path): unknown[] {
    return node.items.map((item, index) => this.read(item as Node | null, [...path, index]));
  }

  private readMap(node: YAMLMap, path: Path): Record<string, unknown> {
    const entries: [string, unknown][] = [];
    for (const pair of node.items as Pair<Node, Node | null>[]) {
      const key = this.readKey(pair, path, entries);
      if (key !== undefined) entries.push([key, this.read(pair.value, [...path, key])]);
    }
    return Object.fromEntries(entries);
  }

  private readKey({ key: node }: Pair<Node, Node | null>, path: Path, before: [string, unknown][]): string | undefined {
    if (!isScalar(node) || typeof node.value !== 'string') {
      const shown = isScalar(node) ? (node.source ?? 'empty') : 'not a single value';
      this.reportAt(node, path, 'KEY_NO_TEXT', `has a key that is ${shown}`, { remedy: 'write the name of a key' });
      return undefined;
    }
    const key = node.value;
    const here = [...path, key];
    if (key === '<<') {
      this.reportAt(node, here, 'YAML_MERGE', 'merges another mapping, which YAML 1.2 does not do', {
        remedy: 'write its keys out',
      });
      return undefined;
    }
    const same = before.find(([each]) => each.toLowerCase() === key.toLowerCase());
    if (same) {
      const { line } = this.position(this.keys.get(JSON.stringify([...path, same[0]])) ?? 0);
      const but = same[0] === key ? '' : ` as ${same[0]}, but for the case of letters`;
      this.reportAt(node, here, 'KEY_DUPLICATE', `is there already, in line ${line}${but}`, {
        remedy: 'keep one of them',
      });
      return undefined;
    }
    this.keys.set(JSON.stringify(here), node.range?.[0] ?? 0);
    return key;
  }

  private readAlias(node: Alias, path: Path): unknown {
    const target = this.anchors.get(node.source);
    if (!target || this.open.has(target)) {
      this.unreadable.push(path);
      const fault = target
        ? `repeats itself: *${node.source} stands within &${node.source}`
        : `is *${node.source}, but no &${node.source} stands before it`;
      this.reportAt(node, path, 'YAML_ALIAS', fault, { remedy: 'write the value out' });
      return undefined;
    }
    if (this.outermostAlias) return this.read(target, path);
    this.outermostAlias = { path, node };
    const value = this.read(target, path);
    this.outermostAlias = undefined;
    return value;
  }

  private countAliased(): void {
    if (++this.aliasedValues !== MOST_ALIASED_VALUES + 1 || !this.outermostAlias) return;
    const { path, node } = this.outermostAlias;
    this.unreadable.push([]);
    this.reportAt(
      node,
      path,
      'YAML_ALIASES',
      `is an alias, and aliases stand for more than ${MOST_ALIASED_VALUES} values`,
      {
        remedy: 'write the values out',
      },
    );
  }

  private characters(text: string): void {
    for (const { 0: character, index } of text.matchAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufeff]/g)) {
      const name = `U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
      this.report(index, [], 'YAML_CHARACTER', `holds the invisible character ${name}`, { remedy: 'delete it' });
    }
  }

  private encoding(bytes: Buffer): void {
    const back = Buffer.from(bytes.toString('utf8'));
    const wrong = bytes.findIndex((byte, index) => byte !== back[index]);
    if (wrong < 0) return;
    const before = bytes
      .subarray(0, wrong)
      .toString('utf8')
      .replace(/^\ufeff|\ufffd$/g, '');
    this.report(before.length, [], 'YAML_ENCODING', 'is not UTF-8', { remedy: 'save it as UTF-8' });
  }

  private isUnreadable(path: Path): boolean {
    return this.unreadable.some((prefix) => prefix.every((part, index) => path[index] === part));
  }

  /** Where a value is; of what is missing, where the mapping is that lacks it. */
  private offset({ path, atKey }: Problem): number {
    for (let length = path.length; length >= 0; length--) {
      const place = JSON.stringify(path.slice(0, length));
      const offset = (atKey && length === path.length && this.keys.get(place)) || this.nodes.get(place)?.range?.[0];
      if (offset !== undefined) return offset;
    }
    return 0;
  }

  private position(offset: number): { readonly line: number; readonly column: number } {
    const { line, col } = this.lineCounter.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  }

  private reportAt(node: Node, path: Path, code: string, fault: string, more?: Partial<Problem>): void {
    this.report(node.range?.[0] ?? 0, path, code, fault, more);
  }

  private report(offset: number, path: Path, code: string, fault: string, more: Partial<Problem> = {}): void {
    this.found.push({ path, code, fault, ...more, ...this.position(offset) });
  }
}
