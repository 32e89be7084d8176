//! What can happen to a fulfilment. The names and the data are the storage format.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::order_id;
use crate::domain::{Event, Money, Progress, RunEvent};

/// What can happen to a fulfilment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FulfilmentEvent {
    /// `FulfilmentStarted`, version 1.
    Started(FulfilmentStarted),
    /// `FulfilmentStepCompleted`, version 1.
    StepCompleted(StepDone),
    /// `FulfilmentStepFailed`, version 1.
    StepFailed(StepRefused),
    /// `FulfilmentStepCompensated`, version 1.
    StepCompensated(StepDone),
    /// `FulfilmentStepNotCompensated`, version 1.
    StepNotCompensated(StepRefused),
    /// `FulfilmentCompleted`, version 1: no data.
    Completed,
    /// `FulfilmentCompensated`, version 1.
    Compensated(FulfilmentCompensated),
}

/// A fulfilment has begun, and this is what it is to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FulfilmentStarted {
    /// The order: that of the stream, whatever the data say.
    #[serde(skip_deserializing)]
    pub order_id: String,
    /// What is reserved.
    pub items: Vec<PlannedItem>,
    /// What is paid; nothing, if the order was paid before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    /// By what means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Under this number the carrier knows it.
    pub tracking_number: String,
    /// Who carries it.
    pub carrier: String,
}

/// So much of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedItem {
    /// The product.
    pub product_id: String,
    /// How many.
    pub quantity: u32,
}

/// The step whose turn it was is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepDone {
    /// Its name.
    pub step: String,
}

/// The command of the step whose turn it was is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRefused {
    /// Its name.
    pub step: String,
    /// Why.
    pub reason: String,
}

/// What was done is compensated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FulfilmentCompensated {
    /// Why.
    pub reason: String,
}

impl Event for FulfilmentEvent {
    const TYPES: &'static [(&'static str, u32)] = &[
        ("FulfilmentStarted", 1),
        ("FulfilmentStepCompleted", 1),
        ("FulfilmentStepFailed", 1),
        ("FulfilmentStepCompensated", 1),
        ("FulfilmentStepNotCompensated", 1),
        ("FulfilmentCompleted", 1),
        ("FulfilmentCompensated", 1),
    ];

    fn event_type(&self) -> &'static str {
        match self {
            Self::Started(_) => "FulfilmentStarted",
            Self::StepCompleted(_) => "FulfilmentStepCompleted",
            Self::StepFailed(_) => "FulfilmentStepFailed",
            Self::StepCompensated(_) => "FulfilmentStepCompensated",
            Self::StepNotCompensated(_) => "FulfilmentStepNotCompensated",
            Self::Completed => "FulfilmentCompleted",
            Self::Compensated(_) => "FulfilmentCompensated",
        }
    }

    fn data(&self) -> Cow<'_, str> {
        let written = match self {
            Self::Started(started) => serde_json::to_string(started),
            Self::StepCompleted(done) | Self::StepCompensated(done) => serde_json::to_string(done),
            Self::StepFailed(refused) | Self::StepNotCompensated(refused) => {
                serde_json::to_string(refused)
            }
            Self::Completed => return Cow::Borrowed("{}"),
            Self::Compensated(compensated) => serde_json::to_string(compensated),
        };
        // Texts, numbers and lists of objects of them can always be written.
        Cow::Owned(written.unwrap_or_default())
    }

    fn decode(event_type: &str, aggregate_id: &str, data: &str) -> Option<Self> {
        // Derived readers take an array for an object, too.
        if !data.starts_with('{') {
            return None;
        }
        let done = || serde_json::from_str(data).ok();
        let refused = || serde_json::from_str(data).ok();
        match event_type {
            "FulfilmentStarted" => {
                let read: FulfilmentStarted = serde_json::from_str(data).ok()?;
                let order_id = order_id(aggregate_id).to_owned();
                Some(Self::Started(FulfilmentStarted { order_id, ..read }))
            }
            "FulfilmentStepCompleted" => done().map(Self::StepCompleted),
            "FulfilmentStepFailed" => refused().map(Self::StepFailed),
            "FulfilmentStepCompensated" => done().map(Self::StepCompensated),
            "FulfilmentStepNotCompensated" => refused().map(Self::StepNotCompensated),
            "FulfilmentCompleted" => Some(Self::Completed),
            "FulfilmentCompensated" => serde_json::from_str(data).ok().map(Self::Compensated),
            _ => None,
        }
    }
}

impl RunEvent for FulfilmentEvent {
    const OPEN_RUNS: &'static str = "open_fulfilments";

    fn progress(&self) -> Progress {
        match self {
            Self::Started(_) => Progress::Began,
            Self::StepCompleted(_)
            | Self::StepFailed(_)
            | Self::StepCompensated(_)
            | Self::StepNotCompensated(_) => Progress::WentOn,
            Self::Completed | Self::Compensated(_) => Progress::Ended,
        }
    }
}
