import { Residency } from '../tenant/tenant-instance';
import { CheckedResource } from './checked-resource';
import { Templates } from './templates';

/** What a rule may look at beside the resource. */
export interface Surroundings {
  readonly templates: Templates;
  /** Day that ends of support are compared with. */
  readonly today: Date;
  /** Where everything must stay, if the app says so. */
  readonly residency?: Residency;
}

/** One rule of the pack. Its docstring has the sentence of AWS that it rests on, and where that stands. */
export interface Rule {
  /** Name of the finding after `TenancyChecks-`, in Pascal case. */
  readonly name: string;

  /** The rule in one line, for the documentation. */
  readonly summary: string;

  /** Types of the resources that it looks at. */
  readonly types: RegExp;

  /** What is wrong with a resource, each as the value, what is allowed, and how to fix it; empty if nothing is. */
  check(resource: CheckedResource, surroundings: Surroundings): string[];
}
