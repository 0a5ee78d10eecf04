/** The workflows as another build may have had them: they do the same, but cannot replay what ours did, nor ours what they do. */
import { sleep } from '@temporalio/workflow';
import * as ours from '../../../src/workflows/index.js';

export async function predictCampaign(
  ...args: Parameters<typeof ours.predictCampaign>
): ReturnType<typeof ours.predictCampaign> {
  await sleep(1);
  return ours.predictCampaign(...args);
}

export async function embedStage(...args: Parameters<typeof ours.embedStage>): ReturnType<typeof ours.embedStage> {
  await sleep(1);
  return ours.embedStage(...args);
}
