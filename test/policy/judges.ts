import { execFile, execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(__dirname, '..', '..');

/** cfn-lint and checkov, from the Python environment of the tests. */
export class Judges {
  /** Makes the environment if it is not there, which takes a minute. */
  public static ready(): Judges {
    const python = execFileSync(process.execPath, [join(ROOT, 'scripts', 'python.mjs')], { encoding: 'utf8' });
    return new Judges(dirname(python.trim()));
  }

  private constructor(private readonly bin: string) {}

  /** What cfn-lint finds in the templates of a cloud assembly, as `rule: message (template:line)`. */
  public async cfnLint(assembly: string, region: string): Promise<string[]> {
    const matches = await this.json('cfn-lint', [...templates(assembly), '--format', 'json', '--regions', region]);
    return (matches as CfnLintMatch[]).map(
      ({ Rule, Message, Filename, Location }) =>
        `${Rule.Id}: ${Message} (${Filename.slice(assembly.length + 1)}:${Location.Start.LineNumber})`,
    );
  }

  /** What checkov finds in the templates of a cloud assembly, as `check: name (resource)`. */
  public async checkov(assembly: string): Promise<string[]> {
    const files = templates(assembly).flatMap((template) => ['--file', template]);
    const options = ['--framework', 'cloudformation', '--quiet', '--compact', '--skip-download', '--output', 'json'];
    const report = (await this.json('checkov', [...files, ...options])) as CheckovReport;
    if (!report.results || report.summary?.parsing_errors !== 0) {
      throw new Error(`checkov could not read the templates: ${JSON.stringify(report)}`);
    }
    return report.results.failed_checks.map(
      ({ check_id, check_name, resource }) => `${check_id}: ${check_name} (${resource})`,
    );
  }

  /** Both end with another code than 0 when they find something. */
  private async json(tool: string, args: string[]): Promise<unknown> {
    const run = promisify(execFile)(join(this.bin, tool), args, { maxBuffer: 64 * 2 ** 20, timeout: 100_000 });
    const { stdout, stderr } = await run.catch((error: { stdout?: string; stderr?: string }) => ({
      stdout: error.stdout ?? '',
      stderr: error.stderr ?? String(error),
    }));
    try {
      return JSON.parse(stdout);
    } catch {
      throw new Error(`${tool} did not answer with JSON: ${stdout}${stderr}`);
    }
  }
}

interface CfnLintMatch {
  readonly Rule: { readonly Id: string };
  readonly Message: string;
  readonly Filename: string;
  readonly Location: { readonly Start: { readonly LineNumber: number } };
}

interface CheckovReport {
  readonly summary?: { readonly parsing_errors: number };
  readonly results?: {
    readonly failed_checks: { readonly check_id: string; readonly check_name: string; readonly resource: string }[];
  };
}

function templates(assembly: string): string[] {
  return readdirSync(assembly)
    .filter((file) => file.endsWith('.template.json'))
    .map((file) => join(assembly, file));
}
