/** The name of an AWS region anywhere in a text, also within that of a zone such as `eu-central-1a`. */
export const REGION_NAME =
  /(?<![a-z0-9])(?:eusc-de|(?:af|ap|ca|cn|eu|il|me|mx|sa|us)(?:-gov|-iso[a-z]?)?)-(?:central|(?:north|south)?(?:east|west)|north|south)-\d(?!\d)/g;
