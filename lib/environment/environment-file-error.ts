/** An environment file that cannot be used; the message is the report of all its problems. */
export class EnvironmentFileError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'EnvironmentFileError';
    // The mistake is in the file: frames of this library would only hide the report.
    this.stack = message;
  }
}
