import { changesBetween, changesText } from '../../bin/fleet/changes';
import { Template } from '../../bin/fleet/fleet-stacks';
import { objections } from '../../bin/fleet/plan';

const server = (properties: Record<string, unknown>): Template => ({
  Resources: {
    Server: { Type: 'AWS::RDS::DBInstance', Properties: { Engine: 'postgres', ...properties } },
    Task: { Type: 'AWS::ECS::TaskDefinition', Properties: { Cpu: properties.cpu ?? '256' } },
  },
});

function objectionsTo(
  deployed: { status?: string; version?: string; ringing?: string[] },
  version: string,
  allowReplacement = false,
  templates: [Template, Template] = [server({}), server({})],
): string[] {
  const planned = {
    stack: {
      id: 'Fleet/t1',
      name: 'Fleet-t1',
      region: 'eu-central-1',
      template: templates[1],
      templateFile: '',
      version,
    },
    deployed: { status: 'UPDATE_COMPLETE', ringing: [], template: templates[0], ...deployed },
    changes: changesBetween(...templates),
  };
  return objections(planned, allowReplacement);
}

test('a later version, and the same one, are deployed', () => {
  expect(objectionsTo({ version: '6.1.0' }, '6.1.0')).toEqual([]);
  expect(objectionsTo({ version: '6.9.0' }, '6.10.0')).toEqual([]);
  expect(objectionsTo({ version: '6.1.0' }, '7.0.0')).toEqual([]);
});

test.each(['6.0.9', '5.0.0'])('an older version is refused, since metadata do not go back: %s', (version) => {
  expect(objectionsTo({ version: '6.1.0' }, version)).toEqual([
    `it has Superset 6.1.0, and ${version} is older: its metadata cannot go back. Restore the snapshot of before, or keep the version`,
  ]);
});

test('a major version is not left out', () => {
  expect(objectionsTo({ version: '6.1.0' }, '8.0.0')).toEqual([
    'it has Superset 6.1.0: go to a version 7 first, whose migrations 8.0.0 builds upon',
  ]);
});

test.each(['UPDATE_ROLLBACK_FAILED', 'UPDATE_IN_PROGRESS', 'ROLLBACK_COMPLETE', 'DELETE_FAILED'])(
  'a stack that is %s is mended first',
  (status) => {
    expect(objectionsTo({ status }, '6.1.0')).toEqual([`its stack is ${status}: mend it first`]);
  },
);

test('an instance whose alarm rings is not changed', () => {
  expect(objectionsTo({ ringing: ['Fleet-t1-superset-web-down'] }, '6.1.0')).toEqual([
    'alarm Fleet-t1-superset-web-down rings: see what it is first',
  ]);
});

test('a server that would be made anew is refused by name, until it is asked for', () => {
  const templates: [Template, Template] = [server({ DBName: 'one' }), server({ DBName: 'two' })];

  expect(objectionsTo({}, '6.1.0', false, templates)).toEqual([
    'Server (AWS::RDS::DBInstance) would be lost and made anew: that is not undone. If it is meant, add --allow-replacement',
  ]);
  expect(objectionsTo({}, '6.1.0', true, templates)).toEqual([]);
});

test('a server that would be removed is refused, too', () => {
  const rest = { Task: server({}).Resources.Task };

  expect(objectionsTo({}, '6.1.0', false, [server({}), { Resources: rest }])).toHaveLength(1);
});

test('changes are counted', () => {
  expect(changesText(changesBetween(undefined, server({})))).toBe('2 added');
  expect(changesText(changesBetween(server({}), server({})))).toBe('same');
  expect(changesText(changesBetween(server({}), server({ cpu: '512', AllocatedStorage: '9' })))).toBe('2 changed');
});
