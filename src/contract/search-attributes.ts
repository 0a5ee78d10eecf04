import { defineSearchAttributeKey } from '@temporalio/common';

/** Sample of a campaign, or its first few. Not encrypted by a payload codec, as no search attribute is. */
export const SAMPLE_ATTRIBUTE = defineSearchAttributeKey('VnpSample', 'KEYWORD');

/** Stage under way: `dnabert-s` or `esm-2`. */
export const STAGE_ATTRIBUTE = defineSearchAttributeKey('VnpStage', 'KEYWORD');

/** What a campaign is doing: the states of CampaignProgress. */
export const STATE_ATTRIBUTE = defineSearchAttributeKey('VnpState', 'KEYWORD');

/** All of them; the embedded server registers them. A run has them when it was started with them, else none. */
export const SEARCH_ATTRIBUTES = [SAMPLE_ATTRIBUTE, STAGE_ATTRIBUTE, STATE_ATTRIBUTE] as const;
