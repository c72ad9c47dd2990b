import { createServer } from 'node:http';
import { AddressInfo } from 'node:net';

/** Answers `GetSecretValue` on loopback from a map: the handler's SDK calls it as it calls AWS. */
export async function startSecretsManager() {
  const secrets = new Map<string, Record<string, string>>();
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      const { SecretId } = JSON.parse(body) as { SecretId: string };
      const secret = secrets.get(SecretId);
      response.writeHead(secret ? 200 : 400, { 'Content-Type': 'application/x-amz-json-1.1', Connection: 'close' });
      response.end(
        JSON.stringify(
          secret
            ? { Name: SecretId, VersionId: secret.version ?? 'first', SecretString: JSON.stringify(secret) }
            : { __type: 'ResourceNotFoundException', Message: `no secret ${SecretId}` },
        ),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref();
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
