import { Json, isTrue } from '../checked-resource';
import { Rule } from '../rule';

/**
 * "readonlyRootFilesystem: when this parameter is true, the container is given read-only access to its root file system" (Amazon ECS
 * Developer Guide, "Task definition parameters"): what breaks into a task cannot change its code.
 */
export const READ_ONLY_ROOT: Rule = {
  name: 'ReadOnlyRoot',
  summary: 'The containers of a task cannot write to their root file system.',
  types: /^AWS::ECS::TaskDefinition$/,
  check({ properties }) {
    return (properties.ContainerDefinitions ?? [])
      .filter(({ ReadonlyRootFilesystem }: Json) => !isTrue(ReadonlyRootFilesystem))
      .map(
        ({ Name }: Json) =>
          `container ${Name} may write to its root file system. Set readonlyRootFilesystem, and mount a volume.`,
      );
  },
};
