import { IIoHost, IoMessage, IoRequest } from '@aws-cdk/toolkit-lib';

/** Says what went wrong, and nothing of each resource that went well; asks nobody. */
export class QuietIo implements IIoHost {
  public async notify({ level, message }: IoMessage<unknown>): Promise<void> {
    if (level === 'error' || level === 'warn') console.error(message);
  }

  public async requestResponse<Answer>({ defaultResponse }: IoRequest<unknown, Answer>): Promise<Answer> {
    return defaultResponse;
  }
}
