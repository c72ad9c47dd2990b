/** An environment file that cannot be used; the message is the report of all its problems. */
export class EnvironmentFileError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'EnvironmentFileError';
  }
}
