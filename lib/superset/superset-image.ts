import { join } from 'node:path';
import * as ecr from 'aws-cdk-lib/aws-ecr';
import { Platform } from 'aws-cdk-lib/aws-ecr-assets';
import * as ecs from 'aws-cdk-lib/aws-ecs';

/**
 * The container image that Superset runs from, for Linux on x86-64.
 *
 * It must have a user `superset`, whom the tasks run as, and declare `/tmp` and `/app/superset_home` as volumes of that user:
 * the rest of its file system is read-only.
 */
export class SupersetImage {
  /** Built from the `superset/` of this library, on the machine that deploys; needs Docker there. */
  public static bundled(): SupersetImage {
    const directory = join(__dirname, '..', '..', 'superset');
    // What the Dockerfile copies, so that neither tests nor what Python leaves behind make another image.
    const exclude = ['*', '!Dockerfile', ...COPIED.map((name) => `!${name}`), '**/__pycache__'];
    return new SupersetImage(ecs.ContainerImage.fromAsset(directory, { platform: Platform.LINUX_AMD64, exclude }));
  }

  /**
   * Built from a directory with a `Dockerfile`, on the machine that deploys; needs Docker there.
   *
   * @param directory the build context.
   */
  public static fromDirectory(directory: string): SupersetImage {
    return new SupersetImage(ecs.ContainerImage.fromAsset(directory, { platform: Platform.LINUX_AMD64 }));
  }

  /**
   * Ready-made, in a registry that the tasks reach without a login.
   *
   * @param uri with a tag or, better, a digest.
   */
  public static fromRegistry(uri: string): SupersetImage {
    return new SupersetImage(ecs.ContainerImage.fromRegistry(uri));
  }

  /**
   * Ready-made, in a repository of ECR.
   *
   * @param repository the repository.
   * @param tagOrDigest a tag, or a digest that starts with `sha256:`.
   */
  public static fromEcrRepository(repository: ecr.IRepository, tagOrDigest: string): SupersetImage {
    return new SupersetImage(ecs.ContainerImage.fromEcrRepository(repository, tagOrDigest));
  }

  private constructor(
    /** The image as ECS takes it. */
    public readonly containerImage: ecs.ContainerImage,
  ) {}
}

const COPIED = [
  'build-requirements.txt',
  'requirements.txt',
  'rds-global-bundle.pem',
  'superset_config.py',
  'superset_tenancy',
];
