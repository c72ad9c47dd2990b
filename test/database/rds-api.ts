import { createServer } from 'node:http';
import { AddressInfo } from 'node:net';

/** What RDS would answer to a request: the inner XML of the result, or an error's code. */
export type Answer = { readonly result: string } | { readonly error: string; readonly message?: string };

/** Stands in for the RDS query API on loopback; answers by action, and for a resource if `about` names it. */
export class RdsApi {
  public readonly requests: { action: string; parameters: Record<string, string> }[] = [];
  private readonly calls = new Set<string>();
  private answers: { action: string; about?: string; answer: Answer }[] = [];
  private readonly server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      const { Action: action, ...parameters } = Object.fromEntries(new URLSearchParams(body));
      // The SDK sends a call again whose answer it lost: the call stays one.
      const call = String(request.headers['amz-sdk-invocation-id']);
      if (!this.calls.has(call)) this.requests.push({ action, parameters });
      this.calls.add(call);
      const answer = this.answerTo(action, Object.values(parameters));
      const isError = 'error' in answer;
      response.writeHead(isError ? 400 : 200, { 'Content-Type': 'text/xml', Connection: 'close' });
      response.end(
        isError
          ? `<ErrorResponse><Error><Type>Sender</Type><Code>${answer.error}</Code><Message>${answer.message ?? 'no'}</Message></Error></ErrorResponse>`
          : `<${action}Response><${action}Result>${answer.result}</${action}Result></${action}Response>`,
      );
    });
  });

  public async start(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    Object.assign(process.env, {
      AWS_ENDPOINT_URL: `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`,
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
    });
  }

  public stop(): void {
    this.server.close();
  }

  /** Forgets all. */
  public reset(): void {
    this.answers = [];
    this.requests.length = 0;
  }

  /** What is answered from now on. */
  public answer(action: string, answer: Answer, about?: string): void {
    this.answers.unshift({ action, about, answer });
  }

  /** Parameters of the requests for an action. */
  public asked(action: string): Record<string, string>[] {
    return this.requests.filter((request) => request.action === action).map(({ parameters }) => parameters);
  }

  private answerTo(action: string, values: string[]): Answer {
    const known = this.answers.find((each) => each.action === action && (!each.about || values.includes(each.about)));
    return known?.answer ?? { error: 'Unexpected', message: `nobody expected ${action}` };
  }
}
