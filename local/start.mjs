// Plain JavaScript, so that a Node.js which is too old for the rest can still say so.
const OLDEST = '20.19.0';
const number = (version) => version.split('.').reduce((sum, part) => sum * 1000 + Number(part), 0);

if (number(process.versions.node) < number(OLDEST)) {
  console.error(`Node.js ${process.versions.node} is too old. Install ${OLDEST} or newer.`);
  process.exit(1);
}
// Versions of the SDK are pinned, and those take Node.js 20.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
try {
  await import('tsx');
} catch {
  console.error('The packages of this project are missing. Run npm ci, then try again.');
  process.exit(1);
}
await import('./run.ts');
