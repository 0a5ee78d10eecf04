/** Mocha's spec reporter, and as its last line the counts that CI reads: `N passed, N failed, N skipped`. */
import Mocha from 'mocha';

export default class SpecWithCounts extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    // Listeners run in order: Spec has printed its failures by then.
    runner.once(Mocha.Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures, pending } = this.stats;
      console.log(`${passes} passed, ${failures} failed, ${pending} skipped`);
    });
  }
}
