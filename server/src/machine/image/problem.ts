/** Why an image file cannot be used: one sentence that names the field or the size. */
export interface ImageProblem {
  readonly problem: string;
}
