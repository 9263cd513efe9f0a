"""Two campgrounds to look round in: Camping Seeblick with two weeks of sales, and Waldrand, its neighbour.

====================  ==================================================================
``campgrounds``       opens both: people, products, keys
``season``            invents a day's sales; pure, the same seed gives the same day
``history``           records what is missing, and one conflict for staff to decide
``closes``            closes the days that are over, as the reception would
``books``             posts them to the journal, as every night does
``access``            fresh password and fresh key, and what is printed about them
====================  ==================================================================
"""
