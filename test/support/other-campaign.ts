/** A campaign as another build may have had it: its history is not one of ours. */
import { sleep } from '@temporalio/workflow';

export async function predictCampaign(): Promise<void> {
  await sleep('1 day');
}
