//! A learner answered with the prediction of what people added to a batch: it is filled in. Other predictions are
//! read by whoever asked.

use crate::engine::Engine;
use crate::steps::{self, Step};
use crate::store::settlements::Settled;
use crate::store::{self, Error, Result};
use jobs::work::Output;
use jobs::work::readout::ReadoutPrediction;
use serde_json::json;

pub(super) async fn draw(engine: &Engine, settled: Settled) -> Result<bool> {
    steps::before(Step::DrawPredicted).await;
    let mut tx = store::begin_on(&engine.pool).await?;
    let taken = store::settlements::take(&mut tx, settled.job_id).await?;
    if let (true, Some(Output::Predict(result))) = (taken, &settled.output)
        && let [prediction] = &result.predictions[..]
        && let Some((proposal, batch)) =
            store::proposals::predicted(&mut tx, settled.job_id, prediction, &scalars(&result.readouts))
                .await?
    {
        let campaign =
            settled.campaign_id.ok_or_else(|| Error::corrupt("prediction", "it belongs to no campaign"))?;
        let body = json!({"proposal_id": proposal, "job_id": settled.job_id, "prediction": prediction});
        store::batches::record_prediction(&mut tx, batch, campaign, &body).await?;
    }
    steps::commit(tx, Step::DrawPredicted).await?;
    Ok(taken)
}

/// Of the one experiment that was asked about, without the components of vectors: as a proposal has them.
fn scalars(readouts: &[Vec<ReadoutPrediction>]) -> Vec<ReadoutPrediction> {
    let said = readouts.first().into_iter().flatten();
    said.filter(|said| !said.readout.contains('/')).cloned().collect()
}
