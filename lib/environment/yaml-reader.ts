import { Token } from 'aws-cdk-lib';
import { Alias, LineCounter, Node, Pair, Scalar, YAMLMap, YAMLSeq, isAlias, isMap, isScalar } from 'yaml';
import { Path, Problem, valueText } from '../validation/problem';
import { otherReading } from './yaml-readings';

/** A problem and the offset in the text where it is. */
export interface PlacedProblem extends Problem {
  readonly offset: number;
}

/** Values that aliases may repeat in one file; some ten characters can otherwise stand for billions of values. */
const MOST_ALIASED_VALUES = 20_000;

const DEEPEST = 32;

/** Reads the values of a parsed YAML document, and notes where each is and what of YAML is not taken. */
export class YamlReader {
  public readonly problems: PlacedProblem[] = [];

  /** Values that are good YAML, but that other readers take for something else. */
  public readonly ambiguous: PlacedProblem[] = [];

  /** Where the keys are, and the nodes of the values, by {@link placeOf}. */
  public readonly keys = new Map<string, number>();
  public readonly nodes = new Map<string, Node>();

  /** Places whose value could not be read, and has been reported. */
  public readonly unreadable = new Set<string>();

  private readonly anchors = new Map<string, Node>();
  private readonly open = new Set<Node>();
  private outermostAlias?: { readonly path: Path; readonly node: Alias };
  private aliasedValues = 0;

  /** @param errors offsets of the errors of syntax, which may have cut values off. */
  constructor(
    private readonly lineCounter: LineCounter,
    private readonly errors: readonly number[],
  ) {}

  /** The value of a node; undefined for what could not be read. */
  public read(node: Node | null, path: Path = []): unknown {
    if (!node) return null;
    if (this.outermostAlias && ++this.aliasedValues > MOST_ALIASED_VALUES) return this.endAliases(this.outermostAlias);
    if (isAlias(node)) return this.readAlias(node, path);
    this.nodes.set(placeOf(path), node);
    if (node.anchor && !this.outermostAlias) this.anchors.set(node.anchor, node);
    if (node.tag) {
      const fault = `has the tag ${node.tag.replace('tag:yaml.org,2002:', '!!')}`;
      return this.refuse(node, path, { code: 'YAML_TAG', fault, remedy: 'take the tag out' });
    }
    if (path.length > DEEPEST) {
      return this.refuse(node, path, { code: 'YAML_DEEP', fault: `lies more than ${DEEPEST} levels deep` });
    }
    if (isScalar(node)) return this.readScalar(node, path);
    this.open.add(node);
    const value = isMap(node) ? this.readMap(node, path) : this.readSequence(node as YAMLSeq<Node | null>, path);
    this.open.delete(node);
    return value;
  }

  private readScalar(node: Scalar, path: Path): unknown {
    if (this.isCutOff(node)) {
      this.unreadable.add(placeOf(path));
      return undefined;
    }
    if (Token.isUnresolved(node.value) || Token.isUnresolved([node.value])) {
      const fault = `is ${valueText(node.value)}, which the CDK would take for a value that it does not know yet`;
      return this.refuse(node, path, { code: 'CDK_TOKEN', fault, remedy: 'write the value itself' });
    }
    const other = node.type === Scalar.PLAIN ? otherReading(node) : undefined;
    if (other) {
      const fault = `is ${node.source}, which other YAML readers take for ${other}`;
      const remedy = typeof node.value === 'string' ? `put it in quotes: '${node.source}'` : 'write it in plain digits';
      this.ambiguous.push({ path, code: 'YAML_AMBIGUOUS', fault, remedy, offset: offsetOf(node) });
    }
    return node.value;
  }

  private readSequence(node: YAMLSeq<Node | null>, path: Path): unknown[] {
    return node.items.map((item, index) => this.read(item, [...path, index]));
  }

  private readMap(node: YAMLMap, path: Path): Record<string, unknown> {
    const entries = new Map<string, unknown>();
    const byLowerCase = new Map<string, string>();
    for (const { key: keyNode, value } of node.items as Pair<Node, Node | null>[]) {
      const key = this.readKey(keyNode, path, byLowerCase);
      if (key !== undefined) entries.set(key, this.read(value, [...path, key]));
    }
    return Object.fromEntries(entries);
  }

  private readKey(node: Node, path: Path, byLowerCase: Map<string, string>): string | undefined {
    if (!isScalar(node) || typeof node.value !== 'string') {
      const fault = `has a key that is ${isScalar(node) ? node.source || 'empty' : 'not a single value'}`;
      this.report(node, path, { code: 'KEY_NO_TEXT', fault, remedy: 'write the name of a key' });
      return undefined;
    }
    const key = node.value;
    const here = [...path, key];
    if (key === '<<') {
      const fault = 'merges another mapping, which YAML 1.2 does not do';
      this.report(node, here, { code: 'YAML_MERGE', fault, remedy: 'write its keys out' });
      return undefined;
    }
    const same = byLowerCase.get(key.toLowerCase());
    if (same !== undefined) {
      const { line } = this.lineCounter.linePos(this.keys.get(placeOf([...path, same])) ?? 0);
      const but = same === key ? '' : ` as ${same}: only the case of letters differs`;
      const fault = `is there already, in line ${line}${but}`;
      this.report(node, here, { code: 'KEY_DUPLICATE', fault, remedy: 'keep one of them' });
      return undefined;
    }
    byLowerCase.set(key.toLowerCase(), key);
    this.keys.set(placeOf(here), offsetOf(node));
    return key;
  }

  private readAlias(node: Alias, path: Path): unknown {
    const target = this.anchors.get(node.source);
    if (!target || this.open.has(target)) {
      const fault = target
        ? `repeats itself: *${node.source} stands within &${node.source}`
        : `is *${node.source}, but no &${node.source} stands before it`;
      return this.refuse(node, path, { code: 'YAML_ALIAS', fault, remedy: 'write the value out' });
    }
    if (this.outermostAlias) return this.read(target, path);
    this.outermostAlias = { path, node };
    const value = this.read(target, path);
    this.outermostAlias = undefined;
    return value;
  }

  /** From here on nothing of the file is judged, since what was read is not what it says. */
  private endAliases({ path, node }: { readonly path: Path; readonly node: Alias }): undefined {
    if (this.unreadable.has(placeOf([]))) return undefined;
    this.unreadable.add(placeOf([]));
    const fault = `is an alias, and aliases stand for more than ${MOST_ALIASED_VALUES} values`;
    this.report(node, path, { code: 'YAML_ALIASES', fault, remedy: 'write the values out' });
  }

  /** Whether an error of the syntax has left only a part of a value, or nothing. */
  private isCutOff({ range, source }: Scalar): boolean {
    const [start, end] = range ?? [0, 0];
    return this.errors.some((offset) => source === '' || (start <= offset && offset <= end));
  }

  private refuse(node: Node, path: Path, problem: Omit<Problem, 'path'>): undefined {
    this.unreadable.add(placeOf(path));
    this.report(node, path, problem);
  }

  private report(node: Node, path: Path, problem: Omit<Problem, 'path'>): void {
    this.problems.push({ path, ...problem, offset: offsetOf(node) });
  }
}

/** A path as the key of a map. */
export function placeOf(path: Path): string {
  return JSON.stringify(path);
}

/** Where a node begins in the text. */
export function offsetOf({ range }: Node): number {
  return range?.[0] ?? 0;
}
