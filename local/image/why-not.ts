// For shells: says why the image cannot be built on this machine, and exits with 1; or with 0 if it can.
import { whyNoImage } from './tools';

const reason = whyNoImage();
if (reason) console.log(reason);
process.exit(reason ? 1 : 0);
