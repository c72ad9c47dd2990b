/** The name of an AWS region anywhere in a text. */
export const REGION_NAME =
  /\b(?:af|ap|ca|cn|eu|il|me|mx|sa|us)(?:-gov|-iso[a-z]?)?-(?:central|(?:north|south)?(?:east|west)|north|south)-\d\b/g;
