export { embedStage } from './embed-stage.js';
export { predictCampaign } from './predict-campaign.js';
