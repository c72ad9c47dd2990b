import { Document, LineCounter, isMap, isScalar, isSeq, parseAllDocuments } from 'yaml';
import { Path, Problem, shortened, valueText } from '../validation/problem';
import { PlacedProblem, YamlReader, offsetOf, placeOf } from './yaml-reader';
import { textOf, textProblems } from './yaml-text';

/** A problem and where in the file it is; lines and columns count from 1. */
export interface LocatedProblem extends Problem {
  readonly line: number;
  readonly column: number;
}

/** A mistake is often followed by others that it causes: of a line only the first is reported. */
const MOST_SYNTAX_ERRORS = 20;

/** After these, something that seems to be missing may be there. */
const HIDING = ['YAML_SYNTAX', 'YAML_DEEP', 'YAML_DOCUMENTS', 'YAML_MERGE'];

/** What the text of a YAML file says, with the position of every value, and what is wrong with the YAML itself. */
export class YamlSource {
  public readonly value: unknown;

  private readonly lineCounter = new LineCounter();
  private readonly reader: YamlReader;
  private readonly placed: PlacedProblem[];

  constructor(bytes: Buffer) {
    const documents = this.parse(textOf(bytes));
    const syntax = documents ? syntaxProblems(documents) : [tooDeep(0)];
    const root = rootProblem(documents?.[0]);
    this.reader = new YamlReader(
      this.lineCounter,
      syntax.map(({ offset }) => offset),
    );
    if (!documents || root || syntax.some(({ code }) => code === 'YAML_DEEP')) {
      this.reader.unreadable.add(placeOf([]));
    } else {
      this.value = this.reader.read(documents[0].contents);
    }
    this.placed = [
      ...this.firstOfEachLine(syntax),
      ...(root && syntax.length === 0 ? [root] : []),
      ...secondDocument(documents?.[1]),
      ...textProblems(bytes),
      ...this.reader.problems,
    ];
  }

  /** All problems in the order of the file: those of the YAML, and the given ones of its values. */
  public problems(ofValues: Problem[]): LocatedProblem[] {
    const { unreadable, ambiguous } = this.reader;
    const mayHide = this.placed.some(({ code }) => HIDING.includes(code));
    const broken = new Set(
      this.placed.filter(({ code }) => code === 'YAML_SYNTAX').map((each) => this.located(each).line),
    );
    const values = ofValues
      .filter(({ path, code }) => !isWithin(path, unreadable) && !(mayHide && code === 'KEY_MISSING'))
      .map((problem) => ({ ...problem, offset: this.offset(problem) }))
      .filter((problem) => !broken.has(this.located(problem).line));
    const judged = new Set([...this.placed, ...values].map(({ path }) => placeOf(path)));
    return [...this.placed, ...values, ...ambiguous.filter(({ path }) => !isWithin(path, judged))]
      .sort((a, b) => a.offset - b.offset)
      .map((problem) => this.located(problem));
  }

  /** A value as it is written in the file. */
  public show(path: Path, value: unknown): string {
    const node = this.reader.nodes.get(placeOf(path));
    if (typeof value === 'string' || !isScalar(node) || !node.source) return valueText(value);
    const written = shortened(node.source);
    return String(value) === node.source ? written : `${written}, which reads as ${String(value)}`;
  }

  /** The documents of a text, or nothing if it nests so deeply that the parser's stack is exhausted. */
  private parse(text: string): Document.Parsed[] | undefined {
    try {
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
      return Array.isArray(documents) ? documents : [];
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  }

  private firstOfEachLine(problems: PlacedProblem[]): PlacedProblem[] {
    const byLine = new Map<number, PlacedProblem>();
    for (const problem of problems) {
      const { line } = this.located(problem);
      if (!byLine.has(line)) byLine.set(line, problem);
    }
    return [...byLine.values()];
  }

  /** Where a value is; of what is missing, where the mapping is that lacks it. */
  private offset({ path, atKey }: Problem): number {
    const { keys, nodes } = this.reader;
    for (let length = path.length; length > 0; length--) {
      const place = placeOf(path.slice(0, length));
      const key = atKey && length === path.length ? keys.get(place) : undefined;
      const node = nodes.get(place);
      if (key !== undefined || node) return key ?? offsetOf(node!);
    }
    const root = nodes.get(placeOf([]));
    return root ? offsetOf(root) : 0;
  }

  private located(problem: PlacedProblem): LocatedProblem {
    const { line, col } = this.lineCounter.linePos(problem.offset);
    return { ...problem, line: Math.max(line, 1), column: Math.max(col, 1) };
  }
}

function syntaxProblems(documents: Document.Parsed[]): PlacedProblem[] {
  const errors = documents.flatMap((document) => document.errors).filter(({ code }) => code !== 'MULTIPLE_DOCS');
  const exhausted = errors.find(({ code }) => code === 'RESOURCE_EXHAUSTION');
  if (exhausted) return [tooDeep(exhausted.pos[0])];
  return errors.slice(0, MOST_SYNTAX_ERRORS).map(({ code, message, pos }) => ({
    path: [],
    code: 'YAML_SYNTAX',
    fault: `is not YAML: ${message}`,
    remedy: code === 'TAB_AS_INDENT' ? 'indent with spaces' : undefined,
    offset: pos[0],
  }));
}

function tooDeep(offset: number): PlacedProblem {
  return { path: [], code: 'YAML_DEEP', fault: 'nests more deeply than can be read', offset };
}

function rootProblem(document: Document.Parsed | undefined): PlacedProblem | undefined {
  const contents = document?.contents;
  if (isMap(contents)) return undefined;
  const isEmpty = !contents || (isScalar(contents) && contents.value === null);
  return {
    path: [],
    code: 'YAML_NO_MAPPING',
    fault: isEmpty ? 'is empty' : `is ${isSeq(contents) ? 'a list' : 'a single value'} at its top level`,
    allowed: 'a mapping, whose first line may be account: …',
    offset: isEmpty ? 0 : offsetOf(contents),
  };
}

function secondDocument(document: Document.Parsed | undefined): PlacedProblem[] {
  if (!document) return [];
  return [
    {
      path: [],
      code: 'YAML_DOCUMENTS',
      fault: 'begins a second document; a file holds one environment',
      remedy: 'put it into a file of its own',
      offset: document.contents ? offsetOf(document.contents) : document.range[0],
    },
  ];
}

/** Whether a path, or one that leads to it, is among the places. */
function isWithin(path: Path, places: ReadonlySet<string>): boolean {
  return [path, ...path.map((_, length) => path.slice(0, length))].some((each) => places.has(placeOf(each)));
}
