"""Statistics on plain arrays: no exam, no file.

Arrays in, frozen results out. A number that cannot be said is None and its result says why in `reason`; wrong input
(unequal lengths, odd values) raises an error of `livermre.exam.errors`. Fewer than five independent units have no
interval and no test. Rows with NaN are left out and counted in `left_out`.

One number with its interval is an `interval.Interval`, a share of a count a `proportion.Proportion`. Intervals by
formula (Fisher, F, chi-square, t, ranks, Wilson) take rows as independent: one exam a patient. With several exams or
slices of a patient, use what resamples patients (it asks for `patients`), or name them as `patient` where a function
takes that: its interval then draws patients or has the variance between them.

about     file                 gives
masks     overlap              overlap (any dimension), overlap_of_slices, pooled: Dice, IoU, precision, recall, sizes
          surface              slice_distance, distance_of_slices, exam_distance: HD95, ASSD, surface Dice
          empty                the rule for empty masks; count_cases: compared, missed, invented, empty
          purity               purity: share of a region on edge, vessel, low confidence
scores    summary              summary of slices or exams: mean, median, SD, quartiles, worst 5 %
pairs     agreement_intervals  every statistic of agreement by name, patients resampled, one call
          bland_altman         bias, limits, proportional bias; in units, percent of the mean, percent of the reference
          icc, concordance     ICC(A,1) and ICC(C,1) of k raters; Lin's CCC
          correlation          pearson, spearman
          regression           passing_bablok with its cusum test, deming
          error_size, bands    MAE, RMSE, MAPE, within 5 / 10 / 19 %; changed_bands
          noninferiority       machine against reader as reader against reader, margin fixed before
          agreement            the short form that a report prints for pixels of one image
repeats   repeatability        wSD, wCV, RC, %RC; same_twice
          reproducibility      RDC over readers, scanners, sites
          linearity, line      measured on truth, curvature; least_squares
methods   comparison           compare_paired: difference, effect sizes, tests; holm for many of them; sign_flip_p
          rank_shift           hodges_lehmann, rank_biserial
stages    roc, ordinal         auroc, compare_auroc, roc_curve; obuchowski, compare_obuchowski
          diagnosis            diagnose_at a cut-off declared before; two_thresholds; prevalence: predictive_values
          kappa                kappa, confusion
chances   calibration          slope and intercept; reliability: bins, brier; decision: decision_curve
trust     coverage, conformal  whether intervals hold, and intervals that do
          gate, risk_coverage  quality_gate; error among the kept against how many are kept
          failures, subgroups  count_failures over all exams; any statistic stratum by stratum
any       intervals            clustered_bootstrap of any statistic of row indices, also of a difference of methods;
                               clustered_bootstrap_of_sums, much faster for statistics of column sums
"""

from livermre.evaluate.agreement import Agreement, agreement
from livermre.evaluate.interval import Interval
from livermre.evaluate.intervals import bootstrap_mean, clustered_bootstrap
from livermre.evaluate.overlap import dice, iou

__all__ = ["Agreement", "Interval", "agreement", "bootstrap_mean", "clustered_bootstrap", "dice", "iou"]
