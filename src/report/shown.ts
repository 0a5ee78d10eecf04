/** What a report shows of many, so that it stays light: the rest is counted. */
export const SHOWN = {
  contigs: 50,
  tracks: 5,
  mixedTracks: 3,
  marksOfTrack: 300,
  regions: 25,
  notCalled: 10,
  quarantined: 20,
  lanesOfStage: 24,
} as const;
