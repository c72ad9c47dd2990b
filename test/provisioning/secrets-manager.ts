import { createServer } from 'node:http';
import { AddressInfo } from 'node:net';

/** Answers `GetSecretValue` and `BatchGetSecretValue` on loopback from a map: the handler's SDK calls it as it calls AWS. */
export async function startSecretsManager() {
  const secrets = new Map<string, Record<string, string>>();
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      const answer = (id: string) => {
        const secret = secrets.get(id);
        return secret && { Name: id, VersionId: secret.version ?? 'first', SecretString: JSON.stringify(secret) };
      };
      const { SecretId, SecretIdList } = JSON.parse(body) as { SecretId?: string; SecretIdList?: string[] };
      const answers = SecretIdList
        ? { SecretValues: SecretIdList.map(answer).filter(Boolean) }
        : answer(SecretId as string);
      response.writeHead(answers ? 200 : 400, { 'Content-Type': 'application/x-amz-json-1.1' });
      response.end(
        JSON.stringify(answers ?? { __type: 'ResourceNotFoundException', Message: `no secret ${SecretId}` }),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref();
  server.on('connection', (socket) => socket.unref());
  const { port } = server.address() as AddressInfo;
  return {
    secrets,
    /** Environment of whoever is to use it. */
    environment: {
      AWS_ENDPOINT_URL_SECRETS_MANAGER: `http://127.0.0.1:${port}`,
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
    },
  };
}
