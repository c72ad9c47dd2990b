import { ConnectionRecord, applicationName, clientNamed, clientsIn } from '../../local/network/record';

const line = (what: string) =>
  `2026-01-01 12:00:00.000 UTC [123] LOG:  connection authorized: user=a database=b ${what}SSL enabled (protocol=TLSv1.3)\n`;

test("PostgreSQL's log says which task and which function has connected, and is silent about other programs", () => {
  const log = [
    line('application_name=task:1a2b3c4d '),
    line('application_name=task:1a2b3c4d '),
    line('application_name=function:demo-Provisioner-2EEE '),
    line('application_name=proxy:TenancyProxya '),
    line('application_name=psql '),
    line(''),
    '2026-01-01 12:00:00.000 UTC [124] LOG:  connection received: host=127.0.0.1 port=1\n',
    '2026-01-01 12:00:00.000 UTC [124] FATAL:  no entry for application_name=task:ffffffff\n',
  ].join('');

  expect(clientsIn(log)).toEqual([
    { task: '1a2b3c4d' },
    { function: 'demo-Provisioner-2EEE' },
    { proxy: 'TenancyProxya' },
  ]);
});

test.each([{ task: '1a2b3c4d' }, { function: 'a:b' }, { proxy: 'p' }])(
  'a client is known again by its name: %j',
  (client) => {
    expect(clientNamed(applicationName(client))).toEqual(client);
  },
);

test('a kind of connection is kept once', () => {
  const record = new ConnectionRecord();
  record.note({ task: 'a' }, 5432);
  record.note({ task: 'a' }, 5432);
  record.note({ task: 'a' }, 6380);
  expect(record.connections()).toHaveLength(2);
});
