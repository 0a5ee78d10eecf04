/** How long a stage has had lanes at work, by what its slices report: waiting, pausing and loading do not count. */
export class StageClock {
  private busyMs = 0;
  private busy = false;
  private at = 0;

  /** What a report says at `now`, in epoch milliseconds: are lanes at work from here on? */
  tick(busy: boolean, now: number): void {
    if (this.busy) this.busyMs += now - this.at;
    this.busy = busy;
    this.at = now;
  }

  /** Seconds at work until the last report, and when that was. */
  read(): { busySeconds: number; reportedAt: number } {
    return { busySeconds: this.busyMs / 1000, reportedAt: this.at };
  }
}
