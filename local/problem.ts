/** Something that the user can mend: one line that says what is wrong, and what to do. */
export class Problem extends Error {
  constructor(what: string, remedy: string) {
    super(`${what} ${remedy}`);
    this.name = 'Problem';
  }
}
