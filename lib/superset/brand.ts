/** What people see as the name and the face of a Superset. What is left out is Superset's own. */
export interface Brand {
  /**
   * Name, in titles of windows and beside the logo.
   *
   * @maxLength 60
   * @pattern ^[^\s\p{Cc}<>]([^\p{Cc}\p{Zl}\p{Zp}<>]*[^\s\p{Cc}<>])?$
   * @patternErrorMessage one line of 1 to 60 characters, without control characters, < and >, and without blanks around it
   * @default 'Superset'
   */
  readonly name?: string;

  /**
   * Path of the logo, an SVG or PNG file of at most 20 KiB, at most 2048 pixels wide and 512 high, relative to the environment file.
   *
   * @maxLength 1024
   * @pattern ^[^\p{Cc}]+$
   * @patternErrorMessage the path of an SVG or PNG file, of at most 1024 characters
   * @default - Superset's
   */
  readonly logo?: string;

  /**
   * Path of the icon in tabs of browsers, an SVG or PNG file of at most 10 KiB and 512 by 512 pixels, relative to the environment file.
   *
   * @maxLength 1024
   * @pattern ^[^\p{Cc}]+$
   * @patternErrorMessage the path of an SVG or PNG file, of at most 1024 characters
   * @default - Superset's
   */
  readonly favicon?: string;

  /**
   * Colour of buttons and links, on which white text must be legible: a contrast of 4.5 to 1 at least (WCAG 2.2, success criterion
   * 1.4.3).
   *
   * @pattern ^#[0-9a-fA-F]{6}$
   * @patternErrorMessage a colour as #rrggbb, in quotes, for instance '#1a5fb4'
   * @default '#2893B3'
   */
  readonly primaryColor?: string;

  /**
   * Text under the form that people sign in with; no markup.
   *
   * @maxLength 300
   * @pattern ^[^\p{Cc}]+$
   * @patternErrorMessage one line of 1 to 300 characters, without control characters
   * @default - none
   */
  readonly loginText?: string;

  /**
   * Sender of e-mails, as `name@example.com`, with the name of this brand before it.
   *
   * @maxLength 254
   * @pattern ^[^@\s<>]{1,64}@([^@\s.<>]+\.)+[^@\s.<>]+$
   * @patternErrorMessage an e-mail address of at most 254 characters
   * @default - Superset's
   */
  readonly emailSender?: string;
}
