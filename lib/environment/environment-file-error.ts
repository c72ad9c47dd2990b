/** An environment file that cannot be used; the message is the report of all its problems. */
export class EnvironmentFileError extends Error {
  static {
    this.prototype.name = 'EnvironmentFileError';
  }

  constructor(message: string) {
    super(message);
    // The mistake is in the file: frames of this library would only hide the report.
    this.stack = `${this.name}: ${message}`;
  }
}
