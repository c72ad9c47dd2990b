// aws-cdk-lib's template validator takes seconds at every synth; the policy suite runs it once.
process.env.CDK_VALIDATION ??= 'false';
