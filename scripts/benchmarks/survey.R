# Accuracy and its standard error by month and queue, with R's survey: audits.csv to estimates.csv.
suppressMessages(library(survey))
# What still has one audit after strata are collapsed has one decision: it is certain.
options(survey.lonely.psu = "certainty")
files <- commandArgs(trailingOnly = TRUE)
audits <- read.csv(files[1])
design <- svydesign(ids = ~1, strata = ~pool, weights = ~weight, fpc = ~fraction, data = audits)
estimates <- svyby(~correct, ~domain, design, svymean)
names(estimates) <- c("domain", "estimate", "standard_error")
write.csv(estimates, files[2], row.names = FALSE)
