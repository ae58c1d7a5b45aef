import type { components } from "./schema";

type Schemas = components["schemas"];

/** Names from docs/openapi.json. */
export type Batch = Schemas["BatchRecord"];
export type BatchState = Schemas["BatchState"];
export type Proposal = Schemas["ProposalRecord"];
export type PlanSummary = Schemas["PlanSummary"];
export type Campaign = Schemas["CampaignRecord"];
export type CampaignLine = Schemas["CampaignLine"];
export type CampaignProgress = Schemas["CampaignProgress"];
export type CampaignSpec = Schemas["Spec"];
export type CampaignCheck = Schemas["CampaignCheck"];
export type WantedFile = Schemas["WantedFile"];
export type NewCampaign = Schemas["NewCampaign"];
export type FileProblem = Schemas["FileProblem"];
export type RoundProgress = Schemas["RoundProgress"];
export type Round = Schemas["RoundRecord"];
export type ModelVersion = Schemas["ModelRecord"];
export type Plate = Schemas["PlateRecord"];
export type PlateLine = Schemas["PlateLine"];
export type PlateState = Schemas["PlateState"];
export type WellRole = Schemas["WellRole"];
export type Job = Schemas["JobSummary"];
export type JobDetail = Schemas["JobDetail"];
export type JobState = Schemas["JobState"];
export type JobKind = Schemas["Kind"];
export type Instrument = Schemas["Instrument"];
export type InstrumentDay = Schemas["InstrumentDay"];
export type InstrumentKind = Schemas["InstrumentKind"];
export type InstrumentState = Schemas["InstrumentState"];
export type InstrumentWork = Schemas["InstrumentWork"];
export type Task = Schemas["Task"];
export type Token = Schemas["Token"];
export type Scope = Schemas["Scope"];
export type LabClock = Schemas["Reading"];
export type SealedEvent = Schemas["Sealed"];
export type Prediction = Schemas["PredictionRecord"];
export type VirtualAnswer = Schemas["Answer"];
export type VirtualExperiment = Schemas["Predicted"];
export type ReadoutPrediction = Schemas["ReadoutPrediction"];
export type Decision = Schemas["Decision"];
export type Resolution = Schemas["Resolution"];

export type Session = Schemas["SessionRecord"];
export type SignOnOffer = Schemas["SignOnOffer"];
export type SignsInBy = Schemas["SignsInBy"];
export type Role = Schemas["PersonRole"];
export type Grant = Schemas["GrantRecord"];
export type User = Schemas["UserRecord"];
export type CreatedUser = Schemas["CreatedUser"];
export type Project = Schemas["Project"];
export type Comment = Schemas["CommentRecord"];
export type Rejection = Schemas["Reject"];
export type DraftPlan = Schemas["BatchPlan"];
export type DraftPlateMap = Schemas["PlatePlan"];
export type LearningCurve = Schemas["LearningCurve"];
export type Calendar = Schemas["CalendarView"];
export type CalendarItem = Schemas["CalendarItem"];
export type CalendarLoad = Schemas["CalendarLoad"];
export type NextTick = Schemas["NextTick"];
export type Blackout = Schemas["Blackout"];
export type Notification = Schemas["NotificationRecord"];
export type Severity = Schemas["Severity"];
export type Topic = Schemas["Topic"];
export type Channel = Schemas["Channel"];
export type ChannelKind = Schemas["ChannelKind"];
export type Delivery = Schemas["Delivery"];

export type StockPlate = Schemas["StockPlate"];
export type StockPlateShown = Schemas["StockPlateShown"];
export type StockWell = Schemas["StockWell"];
export type StockDraw = Schemas["StockDraw"];
export type StockChange = Schemas["StockChange"];
export type StockContent = Schemas["StockContent"];
export type StockBlanks = Schemas["StockBlanks"];
export type Supply = Schemas["Supply"];
export type Imported = Schemas["Imported"];
export type Counted = Schemas["Counted"];

/** From least to most. */
export const ROLES: Role[] = ["viewer", "operator", "scientist", "engineer", "admin"];

/** A page of a list. */
export type Page<T> = { items: T[]; next_cursor?: string | null };

/** What QC says of a plate (`PlateLine.qc`). */
export type Judgement = {
  verdict: "pass" | "fail";
  reasons: string[];
  z_prime: number | null;
  control_drift: number | null;
  missing_fraction: number;
  negative: ControlStatistics;
  positive: ControlStatistics;
};
export type ControlStatistics = { n: number; mean: number | null; sd: number | null };

/** What a closed round was, in numbers (`RoundProgress.summary`). */
export type RoundSummary = {
  proposed: number;
  dispensed: number;
  measured: number;
  passed_qc: number;
  /** Absent in rounds that closed before anything could be measured again. */
  measured_again?: number;
  hits_found: number;
  hits_withdrawn?: number;
  given_up: number;
  plates: number;
  coverage_90: number | null;
  model_version: number | null;
  stage_seconds: Record<string, number>;
  total_seconds: number;
  worker_seconds: number;
  waiting_for_people_seconds: number;
  orchestration_seconds: number;
};
